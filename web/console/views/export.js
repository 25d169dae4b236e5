// Records into a file.

import {Problem} from '../api.js';
import {eachPage} from '../all.js';
import {dialog} from '../dialog.js';
import {h, fill} from '../dom.js';
import {t, tn} from '../i18n.js';
import {csvHead, toCsv, toLine} from '../rows.js';
import {save} from '../save.js';
import {refusal} from '../states.js';

// openExport writes what a filter finds.
export function openExport(filter, signal) {
  const under = new AbortController();
  signal.addEventListener('abort', () => under.abort(), {once: true});
  const said = h('div', {role: 'status'});
  const what = filter.prefix || filter.platform
    ? t('The records that are shown: ID begins with “{prefix}”, platform “{platform}”. Empty is any.', filter)
    : t('All records.');
  const go = (form, type, head, write) => async () => {
    const parts = [head];
    let n = 0;
    const bar = h('progress');
    fill(said, bar);
    try {
      await eachPage(filter, under.signal, (items) => {
        parts.push(items.map(write).join(''));
        n += items.length;
        fill(said, bar, h('p', {}, tn(n, '{n} record', '{n} records')));
      });
      save(new Blob(parts, {type}), `versiond.${form}`);
      fill(said, h('p', {}, tn(n, 'Wrote {n} record.', 'Wrote {n} records.')));
    } catch (err) {
      if (under.signal.aborted) return;
      if (!(err instanceof Problem)) throw err;
      fill(said, refusal(err));
    }
  };
  const open = dialog({
    title: t('Export'), signal, closed: () => under.abort(),
    body: [h('p', {}, what), h('p.muted', {}, t('Either form can be imported again, here and by versiond import.')), said],
    foot: [h('button', {type: 'button', 'data-key': 'cancel', onclick: () => open.close()}, t('Close')), h('span.grow'),
      h('button', {type: 'button', 'data-key': 'export-csv', onclick: go('csv', 'text/csv', csvHead, toCsv)}, 'CSV'),
      h('button.primary', {type: 'button', 'data-key': 'export-jsonl', onclick: go('jsonl', 'application/x-ndjson', '', toLine)}, t('JSON lines'))],
  });
}
