// One record: its form, and what is done with it.

import {Problem, get, write, newKey} from '../api.js';
import {dialog} from '../dialog.js';
import {h} from '../dom.js';
import {t} from '../i18n.js';
import {anew, changes} from '../details.js';
import {may} from '../session.js';
import {refusal} from '../states.js';
import {toast} from '../toast.js';
import {meaning} from '../words.js';
import {recordForm} from './record_form.js';
import {choose} from './conflict.js';
import {past} from './history.js';

// newRecord asks for a record and creates it; done is called when there is one more.
export function newRecord(done, signal) {
  const form = recordForm({}, {});
  const save = saving(form, signal, async (key) => {
    const made = await write('POST', ['version'], {content: anew(form.read()), key});
    toast(t('Created {id}.', {id: made.id}), {kind: 'ok'});
    done();
  });
  save.show(t('New record'), [save.cancel(), save.button(t('Create'))]);
}

// openRecord shows a record and lets who may change or delete it; done is called after a change.
export function openRecord(record, done, signal) {
  let base = record; // what the changes are made to
  const form = recordForm(record, {fixed: true, readOnly: !may('write')});
  const save = saving(form, signal, async (key) => {
    await write('PUT', ['version', base.id], {content: changes(base, form.read()), revision: base.revision, key});
    toast(t('Saved {id}.', {id: base.id}), {kind: 'ok'});
    done();
  }, async (err) => {
    if (err.code !== 'revision_mismatch') return false;
    const theirs = await get(['version', base.id], {signal});
    choose({mine: {...form.read(), id: base.id}, theirs, signal, take: () => take(theirs), keep: () => { base = theirs; save.now(); }});
    return true;
  });
  const take = (theirs) => {
    base = theirs;
    form.fill(theirs);
    save.fresh();
    done();
  };
  const remove = h('button.danger', {type: 'button', 'data-key': 'delete', onclick: removing(() => base, save, done, async () => take(await get(['version', base.id], {signal})))}, t('Delete'));
  form.el.append(past(record.id, signal));
  save.show(base.id, may('write') ? [remove, h('span.grow'), save.cancel(), save.button(t('Save'))] : [h('span.badge.calm', {}, t('Read only')), save.cancel(t('Close'))]);
}

// saving is what a form does when it is sent: what is wrong stands beside the fields, a write of unknown outcome is sent
// again under its key, and mend may take care of an error. Once the form is closed a notice says what went wrong.
function saving(form, signal, act, mend = async () => false) {
  let key = newKey();
  let open;
  const refuse = (err) => {
    if (form.el.isConnected) form.complain(err);
    else toast(`${form.name()}: ${meaning(err)}`, {kind: 'bad'});
  };
  const button = h('button.primary', {type: 'submit', form: form.el.id, 'data-key': 'save'});
  async function now() {
    button.disabled = true;
    form.complain();
    try {
      await act(key);
      open.close();
    } catch (err) {
      if (!(err instanceof Problem)) throw err;
      if (!err.unknown) key = newKey();
      const left = await mend(err).then((mended) => !mended && err, (worse) => worse);
      if (left) refuse(left);
      button.textContent = err.unknown ? t('Try again: nothing is done twice') : button.dataset.name;
    } finally {
      button.disabled = false;
    }
  }
  form.el.addEventListener('submit', (event) => { event.preventDefault(); now(); });
  const fresh = () => { key = newKey(); button.textContent = button.dataset.name; };
  form.el.addEventListener('input', fresh);
  return {
    now, fresh,
    close: () => open.close(),
    refuse,
    button: (name) => { button.dataset.name = button.textContent = name; return button; },
    cancel: (name = t('Cancel')) => h('button', {type: 'button', 'data-key': 'cancel', onclick: () => open.close()}, name),
    show: (title, foot) => { open = dialog({title, body: form.el, foot, signal, wide: true}); },
  };
}

// removing returns what deletes a record at once: what was there can be put back. One of unknown outcome is sent again under its
// key. Of a record that was changed renew shows what it is now.
function removing(current, save, done, renew) {
  let tried = {};
  const gone = () => {
    save.close();
    done();
  };
  return async () => {
    const record = current();
    if (tried.record !== record) tried = {record, key: newKey()};
    try {
      await write('DELETE', ['version', record.id], {revision: record.revision, key: tried.key});
    } catch (err) {
      if (!(err instanceof Problem)) throw err;
      if (!err.unknown) tried = {};
      const left = err.code === 'revision_mismatch' && await renew().then(() => null, (worse) => worse) || err;
      if (left.code === 'not_found') {
        gone();
        toast(`${record.id}: ${meaning(left)}`, {kind: 'bad'});
      } else save.refuse(left);
      return;
    }
    gone();
    offerBack(record, done);
  };
}

// offerBack says that a record was deleted, and puts it back for who wants that.
function offerBack(record, done) {
  const key = newKey(); // one for all tries: who is not told that it is back tries again
  const undo = async () => {
    try {
      await write('POST', ['version'], {content: anew(record), key});
      toast(t('{id} is back.', {id: record.id}), {kind: 'ok'});
      done();
    } catch (err) {
      toast(`${record.id}: ${meaning(err)}`, {kind: 'bad', action: err.passing || err.unknown ? {name: t('Try again'), run: undo} : undefined});
    }
  };
  toast(t('Deleted {id}.', {id: record.id}), {action: {name: t('Undo'), run: undo}});
}
