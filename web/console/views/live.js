// What is written, as it happens.

import {Problem} from '../api.js';
import {chips} from '../details.js';
import {h, fill, afterPause} from '../dom.js';
import {t, tn, clock, number} from '../i18n.js';
import {failure, nothing} from '../states.js';
import {watch} from '../watch.js';

const most = 500; // rows

export function live(root, signal) {
  const at = {since: 0};
  const filter = {prefix: '', platform: ''};
  let following = new AbortController();
  let seen = 0;
  let paused = false;
  const state = h('span.muted', {role: 'status'});
  const body = h('tbody', {role: 'rowgroup'});
  const list = h('section', {'aria-label': t('Live')});
  const toggle = h('button', {type: 'button', 'data-key': 'pause', onclick: () => (paused ? resume() : stop())}, t('Pause'));
  signal.addEventListener('abort', () => following.abort(), {once: true});

  async function follow() {
    following.abort();
    following = new AbortController();
    const own = following.signal;
    fill(list, seen ? frame(body) : nothing(t('Nothing was written yet'), h('p.muted', {}, t('What anybody writes, on any node, is shown here at once.'))));
    say(t('Connecting…'));
    try {
      await watch(filter, at, {
        open: (node) => { if (!own.aborted) say(t('{node} tells', {node})); },
        lost: () => { if (!own.aborted) say(t('The connection is lost. It goes on where it was.')); },
        events: (events) => { if (!own.aborted) show(events); },
      }, own);
    } catch (err) {
      if (own.aborted) return;
      if (!(err instanceof Problem)) throw err;
      fill(state);
      fill(list, failure(err, err.code === 'revision_gone' ? anew : resume, signal));
    }
  }

  const say = (words) => fill(state, words, ' · ', tn(seen, '{n} change', '{n} changes'));

  function show(events) {
    if (!events.length) return;
    if (!seen) fill(list, frame(body));
    seen += events.length;
    body.prepend(...events.map(row).reverse());
    while (body.children.length > most) body.lastChild.remove();
    state.lastChild.textContent = tn(seen, '{n} change', '{n} changes');
  }

  function stop() {
    paused = true;
    following.abort();
    toggle.textContent = t('Go on');
    say(t('Paused. What is written meanwhile is not missed.'));
  }

  function resume() {
    paused = false;
    toggle.textContent = t('Pause');
    follow();
  }

  function anew() {
    at.since = seen = 0;
    body.replaceChildren();
    resume();
  }

  const {soon, now} = afterPause(anew, signal);
  function typed({target}) {
    filter[target.name] = target.value;
    soon();
  }
  const enter = (event) => event.key === 'Enter' && now();
  const search = (name, label) => h('label.field', {}, h('span', {}, label), h('input.mono', {type: 'search', name, autocomplete: 'off', spellcheck: 'false', 'data-key': `live-${name}`, oninput: typed, onkeydown: enter}));
  root.append(h('div.head', {}, h('h1', {}, t('Live')), h('span.row', {}, state, toggle)),
    h('div.filter', {role: 'search'}, search('prefix', t('ID begins with')), search('platform', t('Platform'))), list);
  anew();
}

const names = () => [t('At'), t('What'), t('ID'), t('Version'), t('Platform'), t('Details'), t('Revision')];

const frame = (body) => h('table', {role: 'table', 'aria-label': t('Changes')},
  h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, names().map((name, i, all) => h('th', {role: 'columnheader', scope: 'col', class: i === all.length - 1 && 'num'}, name)))), body);

function row(event) {
  const r = event.record ?? {id: event.id};
  const cells = [clock(Date.now()), h(`span.badge.${event.record ? 'ok' : 'bad'}`, {}, event.record ? t('written') : t('gone')), h('span.mono', {}, r.id), h('span.mono', {}, r.versionNo ?? ''), r.platform ?? '', event.record ? chips(r) : '', number(event.revision)];
  return h('tr.fresh', {role: 'row', 'data-row': r.id}, cells.map((cell, i) => h('td', {role: 'cell', class: i === cells.length - 1 && 'num', 'data-label': names()[i]}, cell)));
}
