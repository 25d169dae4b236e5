// The newest of everything: a row for each thing, a column for each platform.

import {get, Problem} from '../api.js';
import {chips} from '../details.js';
import {h, fill, afterPause} from '../dom.js';
import {matrix} from '../groups.js';
import {t, number} from '../i18n.js';
import {loading, nothing, failure} from '../states.js';
import {meaning} from '../words.js';
import {openCell} from './cell.js';
import {simulator} from './simulator.js';

const most = 1000; // records, and what /version/latest takes at once
const wide = 6; // platforms that have a column

export function versions(root, signal) {
  const list = h('section', {'aria-label': t('The newest by platform')}, loading(6));
  const simulated = simulator(signal);
  let prefix = new URLSearchParams(location.hash.split('?')[1]).get('prefix') ?? '';
  let latest = 0;

  async function load() {
    const turn = ++latest;
    list.setAttribute('aria-busy', 'true');
    try {
      const page = await get(['version'], {signal, query: {prefix, limit: most}});
      if (turn === latest) fill(list, shown(page));
    } catch (err) {
      if (!signal.aborted && turn === latest) fill(list, failure(err, load, signal));
    } finally {
      if (turn === latest) list.removeAttribute('aria-busy');
    }
  }

  function shown({items, nextCursor}) {
    if (!items.length) return prefix ? nothing(t('No record is like that')) : nothing(t('There are no records yet'), h('p.muted', {}, t('Create some under Records.')));
    const {platforms, rows} = matrix(items);
    const columns = platforms.slice(0, wide);
    return [
      nextCursor && h('p.note', {}, t('These are the first {n} records. Say how the IDs begin to see others.', {n: number(most)})),
      h('div.scroll', {tabindex: '0', role: 'region', 'aria-label': t('The newest by platform')}, h('table.matrix', {role: 'table', 'aria-label': t('The newest by platform')},
        h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, [t('Name'), ...columns, platforms.length > wide && t('others')].filter(Boolean).map((c) => h('th', {role: 'columnheader', scope: 'col'}, c)))),
        h('tbody', {role: 'rowgroup'}, rows.map((row) => h('tr', {role: 'row', 'data-row': row.group},
          h('th.mono', {role: 'rowheader', scope: 'row'}, row.group),
          columns.map((p) => h('td', {role: 'cell', 'data-label': p}, row.cells.has(p) && cell(row.group, p, row.cells.get(p)))),
          platforms.length > wide && h('td', {role: 'cell', 'data-label': t('others')}, platforms.slice(wide).filter((p) => row.cells.has(p)).map((p) => h('span.other', {}, h('span.sub', {}, p), cell(row.group, p, row.cells.get(p)))))))))),
    ];
  }

  // cell is the newest of some records. The node says which that is when there are several.
  function cell(group, platform, records) {
    const el = h('button.cell', {type: 'button', 'data-key': `cell-${group}-${platform}`, 'aria-label': `${group} ${platform}`, onclick: () => openCell({group, platform, records, newest, signal, done: load, simulate: () => simulated.fill(which)})});
    const which = question(group, platform, records, prefix);
    let newest = records.length === 1 && !records[0].withdrawn ? records[0] : null;
    const say = (...what) => fill(el, ...what, records.length > 1 && h('span.sub', {}, t('of {n}', {n: number(records.length)})));
    const tell = () => {
      el.setAttribute('aria-label', `${group} ${platform} ${newest?.versionNo ?? t('withdrawn')}`);
      say(newest ? [h('span.mono', {}, newest.versionNo), ' ', chips({rolloutPercent: newest.rolloutPercent, mandatory: newest.mandatory})] : h('span.badge.bad', {}, t('withdrawn')));
    };
    if (newest || records.length === 1) tell();
    else if (which.id?.split(',').length > records.length) say(h('span.muted', {}, t('An ID with a comma cannot be asked for.')));
    else {
      say('…');
      newestOf(which, signal).then((found) => { newest = found; tell(); }, (err) => say(err instanceof Problem ? h('span.muted', {title: err.detail}, meaning(err)) : '–'));
    }
    return el;
  }

  const {soon} = afterPause(() => {
    prefix = search.value;
    history.replaceState(null, '', `#/versions${prefix ? `?${new URLSearchParams({prefix})}` : ''}`);
    load();
  }, signal);
  const search = h('input.mono', {type: 'search', value: prefix, autocomplete: 'off', spellcheck: 'false', 'data-key': 'versions-prefix', oninput: soon});
  root.append(h('div.head', {}, h('h1', {}, t('Versions'))),
    h('form.filter', {role: 'search', onsubmit: (event) => event.preventDefault()}, h('label.field', {}, h('span', {}, t('ID begins with')), search)), list, simulated.el);
  load();
}

// question asks for the records of a group on a platform that begin with a prefix: by how they begin where that is enough, as
// the address of a question has no room for many ids.
function question(group, platform, records, prefix) {
  const start = `${group}@`;
  return records.every(({id}) => id.startsWith(start)) ? {prefix: prefix.length > start.length ? prefix : start, platform} : {id: records.map(({id}) => id).join(',')};
}

// newestOf asks the node which of some records is the newest that is not withdrawn; null when all are.
async function newestOf(query, signal) {
  try {
    return await get(['version', 'latest'], {signal, query});
  } catch (err) {
    if (err.code === 'not_found') return null;
    throw err;
  }
}
