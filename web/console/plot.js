// Small plots that move: the newest value in words, and a line of what was before.

import {h, svg} from './dom.js';
import {t, number} from './i18n.js';

const size = {width: 160, height: 40};

const most = 72; // values
const least = 24; // that the width is for

// plot returns {el, add}; add takes a value, or null when there is none. What was before is in values, which is kept by the
// caller, so that a plot that is shown again goes on.
export function plot(name, unit, values) {
  const now = h('strong', {}, '–');
  const line = svg('path', {class: 'line', 'vector-effect': 'non-scaling-stroke'});
  const area = svg('path', {class: 'area'});
  const picture = svg('svg', {viewBox: `0 0 ${size.width} ${size.height}`, preserveAspectRatio: 'none', role: 'img'}, area, line);
  const top = h('span.about');
  const el = h('div.plot', {'data-plot': name}, h('span.name', {}, name), h('span', {}, now, ' ', h('span.about', {}, unit)), picture, top);
  function add(value) {
    values.push(value ?? 0);
    if (values.length > most) values.shift();
    draw(value);
  }
  function draw(value) {
    const highest = Math.max(...values);
    const x = (i) => size.width * (1 - (values.length - 1 - i) / (Math.max(values.length, least) - 1));
    const y = (v) => size.height - 2 - (size.height - 6) * (highest ? v / highest : 0);
    const points = values.map((v, i) => `${x(i).toFixed(1)} ${y(v).toFixed(1)}`);
    line.setAttribute('d', `M${points.join('L')}`);
    area.setAttribute('d', `M${x(0).toFixed(1)} ${size.height}L${points.join('L')}L${size.width} ${size.height}Z`);
    now.textContent = value == null ? '–' : short(value);
    top.textContent = t('up to {n}', {n: short(highest)});
    picture.setAttribute('aria-label', `${name}: ${now.textContent} ${unit}, ${top.textContent}`);
  }
  if (values.length) draw(values.at(-1));
  return {el, add};
}

const short = (n) => number(n >= 100 ? Math.round(n) : n >= 10 ? Math.round(n * 10) / 10 : Math.round(n * 100) / 100);
