// Two have changed a record. Both are shown beside each other, and somebody decides.

import {dialog} from '../dialog.js';
import {h} from '../dom.js';
import {t} from '../i18n.js';
import {fields, fieldName, shown, same} from '../details.js';
import {table} from '../table.js';

// choose calls keep or take; closing it leaves everything as it is.
export function choose({mine, theirs, signal, take, keep}) {
  const differing = fields.filter((f) => !same(mine[f], theirs[f]));
  const pick = (act) => () => { open.close(); act(); };
  const open = dialog({
    title: t('{id} was changed in the meantime', {id: theirs.id}), signal, wide: true,
    body: [
      h('p', {}, t('Since you opened it somebody else has saved it. These fields differ:')),
      table(t('Differences'), [
        {name: t('Field'), cell: (f) => fieldName(f)},
        {name: t('Yours'), class: 'grow', cell: (f) => h('ins.mono', {}, shown(mine, f))},
        {name: t('Now'), class: 'grow', cell: (f) => h('del.mono', {}, shown(theirs, f))},
      ], differing, (f) => f),
      differing.length === 0 && h('p.muted', {}, t('None: both are the same.'))],
    foot: [
      h('button', {type: 'button', 'data-key': 'back', onclick: () => open.close()}, t('Back to the form')), h('span.grow'),
      h('button', {type: 'button', 'data-key': 'take', onclick: pick(take)}, t('Take what is there now')),
      h('button.primary', {type: 'button', 'data-key': 'keep', onclick: pick(keep)}, t('Save mine all the same'))],
  });
}
