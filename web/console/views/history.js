// What became of a record: each change with what it changed, when, and by whom.

import {get, Problem} from '../api.js';
import {h, fill} from '../dom.js';
import {t, time, number} from '../i18n.js';
import {fields, fieldName, shown, same} from '../details.js';
import {loading, refusal} from '../states.js';

// past is closed at first; what is in it is asked for when it is opened.
export function past(id, signal) {
  const inside = h('div');
  let cursor = '';
  let items = [];
  let complete = false;
  let asking = false;
  async function load() {
    if (asking) return;
    asking = true;
    try {
      const page = await get(['version', id, 'history'], {signal, query: {limit: 20, cursor}});
      items = [...items, ...page.items];
      cursor = page.nextCursor ?? '';
      complete = page.complete;
      draw();
    } catch (err) {
      if (signal.aborted) return;
      if (!(err instanceof Problem)) throw err;
      if (err.code === 'not_found') fill(inside, h('p.muted', {}, t('Nothing of it is known any more.')));
      else draw(refusal(err));
    } finally {
      asking = false;
    }
  }
  const draw = (refused) => fill(inside,
    items.length > 0 && h('ol.past', {}, items.map((change, i) => h('li', {}, h('div.row', {}, h('strong', {}, did(change)), change.by && h('span.badge.calm', {}, change.by), h('span.grow'), h('span.muted.small', {}, change.at ? time(change.at) : number(change.revision))), differences(change, items[i + 1])))), refused,
    cursor || refused ? h('button', {type: 'button', 'data-key': 'older', onclick: load}, items.length ? t('Older') : t('Try again')) : !complete && h('p.muted', {}, t('What was before is not known any more.')));
  return h('details.past', {ontoggle: ({target}) => {
    if (target.open && !items.length) {
      fill(inside, loading(3));
      load();
    }
  }}, h('summary', {'data-key': 'history'}, t('History')), inside);
}

const did = ({op}) => ({create: t('created'), update: t('changed'), delete: t('deleted')})[op];

// differences are the fields that a change made another than the one before it.
function differences(change, before) {
  if (change.op === 'delete') return null;
  const was = change.op === 'update' && before && before.op !== 'delete' ? before : null;
  if (change.op === 'update' && !was) return h('div.mono.small', {}, `${change.versionNo} ${change.platform}`);
  const changed = fields.filter((f) => (was ? !same(was[f], change[f]) : !same(undefined, change[f])));
  return h('dl', {}, changed.map((f) => [h('dt', {}, fieldName(f)), h('dd.mono', {}, was && [h('del', {}, shown(was, f)), ' → '], h('ins', {}, shown(change, f)))]));
}
