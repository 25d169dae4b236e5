// A file into records: first it is said what would be done, then it is done.

import {Problem, newKey, write} from '../api.js';
import {dialog} from '../dialog.js';
import {h, fill, sleep} from '../dom.js';
import {t, tn, number} from '../i18n.js';
import {batches, plan} from '../plan.js';
import {readRows} from '../rows.js';
import {refusal} from '../states.js';
import {table} from '../table.js';
import {toast} from '../toast.js';
import {meaning} from '../words.js';

const shownMost = 100; // of what is wrong

// openImport asks for a file; done is called when something was written.
export function openImport(done, signal) {
  const under = new AbortController();
  signal.addEventListener('abort', () => under.abort(), {once: true});
  const said = h('div', {role: 'status'});
  const file = h('input', {type: 'file', accept: '.csv,.jsonl,.ndjson,.json,text/csv,application/json', 'data-key': 'import-file', onchange: look});
  const go = h('button.primary', {type: 'button', 'data-key': 'import-go', disabled: true, onclick: () => run()}, t('Import'));
  let planned;
  let looking = new AbortController(); // ends when another file is chosen
  under.signal.addEventListener('abort', () => looking.abort(), {once: true});

  async function look() {
    looking.abort();
    looking = new AbortController();
    const {signal: own} = looking;
    go.disabled = true;
    fill(said);
    if (!file.files.length) return;
    fill(said, h('progress'), h('p', {}, t('Looking at what is there…')));
    try {
      const found = await plan(readRows(await file.files[0].text()), own, (n) => own.aborted || fill(said, h('progress'), h('p', {}, tn(n, 'Looked at {n} record', 'Looked at {n} records'))));
      if (own.aborted) return;
      planned = found;
      const todo = planned.create.length + planned.update.length;
      fill(said, counts([[t('to create'), planned.create.length], [t('to change'), planned.update.length], [t('the same already'), planned.same.length], [t('not readable'), planned.wrong.length]]),
        h('p', {}, todo ? t('Nothing is written yet.') : t('There is nothing to do.')), list(planned.wrong));
      go.disabled = !todo;
    } catch (err) {
      trouble(err, own);
    }
  }

  async function run() {
    go.disabled = file.disabled = true;
    const total = planned.create.length + planned.update.length;
    const bar = h('progress', {max: total, value: 0, 'aria-label': t('Import')});
    const words = h('p');
    const refused = [...planned.wrong];
    let handled = 0;
    fill(said, bar, words);
    try {
      for (const batch of batches(planned)) {
        const answer = await persist(batch.map(({item}) => item), words);
        answer.results.forEach((r, i) => { if (r.code) refused.push({line: batch[i].row.line, wrong: `${r.id}: ${meaning(r)} ${r.detail ?? ''}`}); });
        handled += batch.length;
        bar.value = handled;
        words.textContent = t('{n} of {total}', {n: number(handled), total: number(total)});
      }
      fill(said, counts([[t('written'), total - (refused.length - planned.wrong.length)], [t('the same already'), planned.same.length], [t('refused'), refused.length]]), list(refused));
    } catch (err) {
      if (under.signal.aborted) toast(`${t('Import')}: ${t('{n} of {total}', {n: number(handled), total: number(total)})} · ${meaning({code: 'broken_off'})}`, {kind: 'bad'});
      trouble(err, under.signal);
    } finally {
      file.disabled = false;
      done();
    }
  }

  // persist sends a batch until it is answered; under its key it is done once.
  async function persist(items, words) {
    for (const key = newKey(); ;) {
      try {
        return await write('POST', ['version', 'batch'], {content: {items}, key, signal: under.signal});
      } catch (err) {
        if (!(err instanceof Problem) || !(err.passing || err.unknown)) throw err;
        words.textContent = `${meaning(err)} ${t('Trying again by itself…')}`;
        await sleep(Math.max(1000, err.retryAfter * 1000), under.signal);
        if (under.signal.aborted) throw err;
      }
    }
  }

  function trouble(err, own) {
    if (own.aborted) return;
    if (!(err instanceof Problem)) throw err;
    fill(said, refusal(err));
  }

  const open = dialog({
    title: t('Import'), signal, wide: true, closed: () => under.abort(),
    body: [h('p.muted', {}, t('CSV with a header, or with the columns id, versionNo and platform; or JSON lines. What a file does not say of a record stays as it is.')),
      h('label.field', {}, h('span', {}, t('File')), file), said],
    foot: [h('button', {type: 'button', 'data-key': 'cancel', onclick: () => open.close()}, t('Close')), h('span.grow'), go],
  });
}

const counts = (all) => h('ul.counts', {}, all.filter(([, n], i) => n || i < 1).map(([name, n]) => h('li', {}, h('strong', {}, number(n)), ' ', name)));

const list = (wrong) => wrong.length > 0 && [table(t('Refused'), [
  {name: t('Line'), class: 'num', cell: (r) => number(r.line)}, {name: t('Why'), class: 'grow', cell: (r) => r.wrong},
], wrong.slice(0, shownMost), (r) => r.line), wrong.length > shownMost && h('p.muted', {}, t('and {n} more', {n: number(wrong.length - shownMost)}))];
