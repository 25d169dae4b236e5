// The records: found by prefix and platform, a page at a time, so that it makes no difference how many there are.

import {get} from '../api.js';
import {h, fill, afterPause} from '../dom.js';
import {t, tn, number} from '../i18n.js';
import {session, may} from '../session.js';
import {loading, nothing, failure} from '../states.js';
import {table} from '../table.js';
import {chips} from '../details.js';
import {openExport} from './export.js';
import {openImport} from './import.js';
import {openRecord, newRecord} from './record.js';

const pageSize = 50;

export function records(root, signal) {
  const asked = new URLSearchParams(location.hash.split('?')[1]);
  const at = {prefix: asked.get('prefix') ?? '', platform: asked.get('platform') ?? '', level: '', cursors: [''], items: null, next: ''};
  const list = h('section', {'aria-label': t('Records')}, loading(8));
  const pages = h('nav.pages', {'aria-label': t('Pages'), 'aria-live': 'polite'}); // it says how many there are; a table would be read out whole
  let latest = 0;

  async function load() {
    const turn = ++latest;
    list.setAttribute('aria-busy', 'true');
    try {
      const page = await get(['version'], {signal, query: {prefix: at.prefix, platform: at.platform, limit: pageSize, cursor: at.cursors.at(-1), level: at.level}});
      if (turn !== latest) return;
      if (!page.items.length && at.cursors.length > 1) { // the last one of it was deleted
        at.cursors.pop();
        await load();
        return;
      }
      at.items = page.items;
      at.next = page.nextCursor ?? '';
      draw();
    } catch (err) {
      if (signal.aborted || turn !== latest) return;
      fill(list, failure(err, load, signal, err.code === 'no_leader' && h('button', {type: 'button', 'data-key': 'stale', onclick: () => { at.level = 'none'; load(); }}, t('Show what this node has'))));
      fill(pages);
    } finally {
      if (turn === latest) list.removeAttribute('aria-busy');
    }
  }

  function draw() {
    fill(list, at.level && h('p.note', {}, t('This is what {node} has; it may be old.', {node: session.node})), at.items.length ? rows() : none());
    fill(pages, pager());
  }

  const rows = () => table(t('Records'), [
    {name: t('ID'), class: 'grow', cell: (r) => h('button.link.mono', {type: 'button', 'data-key': `open-${r.id}`, onclick: () => openRecord(r, load, signal)}, r.id)},
    {name: t('Version'), cell: (r) => h('span.mono', {}, r.versionNo)},
    {name: t('Platform'), cell: (r) => r.platform},
    {name: t('Details'), class: 'grow', cell: chips},
    {name: t('Revision'), class: 'num muted', cell: (r) => number(r.revision)},
  ], at.items, (r) => r.id);

  const none = () => (at.prefix || at.platform
    ? nothing(t('No record is like that'), h('p.muted', {}, t('IDs are compared from their beginning, and platforms as a whole.')))
    : nothing(t('There are no records yet'), may('write') && h('p', {}, h('button.primary', {type: 'button', 'data-key': 'first', onclick: () => newRecord(load, signal)}, t('Create the first')))));

  function pager() {
    const turn = (change) => () => list.hasAttribute('aria-busy') || load(change());
    return [
      h('button', {type: 'button', 'data-key': 'previous', disabled: at.cursors.length === 1, onclick: turn(() => at.cursors.pop())}, t('Previous')),
      h('span.muted', {}, t('Page {n}', {n: number(at.cursors.length)}), ' · ', tn(at.items.length, '{n} record', '{n} records')),
      h('button', {type: 'button', 'data-key': 'next', disabled: !at.next, onclick: turn(() => at.cursors.push(at.next))}, t('Next'))];
  }

  function search(prefix, platform) {
    Object.assign(at, {prefix, platform, cursors: [''], level: ''});
    const query = new URLSearchParams(Object.entries({prefix, platform}).filter(([, v]) => v));
    history.replaceState(null, '', `#/records${query.size ? `?${query}` : ''}`);
    load();
  }

  const button = (key, name, act, kind = 'button') => h(kind, {type: 'button', 'data-key': key, onclick: act}, name);
  root.append(h('div.head', {}, h('h1', {}, t('Records')), h('span.row', {}, !may('write') && h('span.badge.calm', {'data-key': 'read-only'}, t('Read only')),
    button('export', t('Export'), () => openExport({prefix: at.prefix, platform: at.platform}, signal)),
    may('write') && [button('import', t('Import'), () => openImport(load, signal)), button('new', t('New record'), () => newRecord(load, signal), 'button.primary')])),
  filter(at, search, signal), list, pages);
  load();
}

// filter searches while somebody types, after a pause, and at once with Enter.
function filter(at, search, signal) {
  const {soon, now} = afterPause(() => search(prefix.lastChild.value, platform.lastChild.value), signal);
  const input = (name, label, value) => h('label.field', {}, h('span', {}, label), h('input.mono', {type: 'search', name, value, autocomplete: 'off', spellcheck: 'false', 'data-key': `search-${name}`, oninput: soon, onkeydown: ({key}) => key === 'Enter' && now()}));
  const prefix = input('prefix', t('ID begins with'), at.prefix);
  const platform = input('platform', t('Platform'), at.platform);
  return h('div.filter', {role: 'search'}, prefix, platform);
}
