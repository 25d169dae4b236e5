// The versions of one thing on one platform, and what is steered most: withdrawn, minimum, rollout.

import {Problem, newKey, write} from '../api.js';
import {chips} from '../details.js';
import {dialog} from '../dialog.js';
import {h, fill, fresh} from '../dom.js';
import {t} from '../i18n.js';
import {may} from '../session.js';
import {refusal} from '../states.js';
import {table} from '../table.js';
import {toast} from '../toast.js';
import {meaning} from '../words.js';

// openCell shows the records, the newest first; done is called after a change, simulate asks what a client would be told.
export function openCell({group, platform, records, newest, signal, done, simulate}) {
  const steered = h('div');
  const sorted = [...records].sort((a, b) => (b.id === newest?.id) - (a.id === newest?.id) || b.revision - a.revision);
  const open = dialog({
    title: `${group} · ${platform}`, signal, wide: true,
    body: [
      table(t('Versions'), [
        {name: t('Version'), cell: (r) => [h('strong.mono', {}, r.versionNo), r.id === newest?.id && [' ', h('span.badge.ok', {}, t('newest'))]]},
        {name: t('ID'), class: 'grow', cell: (r) => h('span.mono', {}, r.id)},
        {name: t('Details'), cell: chips},
        may('write') && {name: t('Adjust'), cell: (r) => h('button', {type: 'button', 'data-key': `steer-${r.id}`, onclick: () => fill(steered, steer(r, changed))}, t('Adjust'))},
      ].filter(Boolean), sorted, (r) => r.id),
      steered],
    foot: [h('button', {type: 'button', 'data-key': 'simulate', onclick: () => { open.close(); simulate(); }}, t('Simulate a client')),
      h('span.grow'), h('button', {type: 'button', 'data-key': 'cancel', onclick: () => open.close()}, t('Close'))],
  });
  function changed() {
    open.close();
    done();
  }
}

// steer is a form of what is changed while a version is on its way to clients.
function steer(record, changed) {
  const id = fresh('steer');
  const said = h('div');
  const percent = h('output.mono', {for: `${id}-rollout`});
  const rollout = h('input', {id: `${id}-rollout`, type: 'range', min: 0, max: 100, value: record.rolloutPercent ?? 100, 'data-key': 'steer-rollout', oninput: tell});
  const minimum = h('input.mono', {id: `${id}-minimum`, type: 'text', value: record.minVersionNo ?? '', autocomplete: 'off', 'data-key': 'steer-minimum'});
  const withdrawn = h('input', {type: 'checkbox', checked: Boolean(record.withdrawn), 'data-key': 'steer-withdrawn'});
  const go = h('button.primary', {type: 'submit', 'data-key': 'steer-save'}, t('Save'));
  function tell() { percent.value = rollout.value === '100' ? t('for all clients') : t('for {n} of 100 clients', {n: rollout.value}); }
  async function save(event) {
    event.preventDefault();
    go.disabled = true;
    try {
      await write('PUT', ['version', record.id], {revision: record.revision, key: newKey(), content: {
        versionNo: record.versionNo, platform: record.platform, withdrawn: withdrawn.checked || null, minVersionNo: minimum.value || null,
        rolloutPercent: rollout.value === '100' ? null : Number(rollout.value)}});
      toast(t('Saved {id}.', {id: record.id}), {kind: 'ok'});
      changed();
    } catch (err) {
      if (!(err instanceof Problem)) throw err;
      if (!said.isConnected) toast(`${record.id}: ${meaning(err)}`, {kind: 'bad'});
      fill(said, refusal(err), err.code === 'revision_mismatch' && h('button', {type: 'button', 'data-key': 'steer-again', onclick: changed}, t('Look at it anew')));
    } finally {
      go.disabled = false;
    }
  }
  tell();
  return h('form.steer', {onsubmit: save}, h('h3', {}, `${record.id} ${record.versionNo}`),
    h('div.fields', {},
      h('div.field', {}, h('label', {for: rollout.id}, t('Rollout')), rollout, percent),
      h('div.field', {}, h('label', {for: minimum.id}, t('Minimum')), minimum, h('span.about', {}, t('clients below it must update')))),
    h('div.row', {}, h('label.row', {}, withdrawn, t('Withdrawn')), h('span.grow'), go), said);
}
