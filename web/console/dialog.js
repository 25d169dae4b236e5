// Dialogs, by the browser's own: it keeps the focus inside, and Escape closes them.

import {h, fresh} from './dom.js';
import {t} from './i18n.js';
import {toast} from './toast.js';
import {meaning} from './words.js';

// dialog shows one and returns {el, close}. The signal of the view closes it; closed is called in the end, however it ended.
export function dialog({title, body, foot, wide, signal, closed}) {
  const id = fresh('title');
  const el = h(wide ? 'dialog.wide' : 'dialog', {'aria-labelledby': id},
    h('div.dialog-head', {}, h('h2', {id}, title), h('button.quiet.icon', {type: 'button', 'aria-label': t('Close'), 'data-key': 'close', onclick: close}, '×')),
    h('div.dialog-body', {}, body), foot && h('div.dialog-foot', {}, foot));
  const opener = document.activeElement?.dataset.key;
  // The browser gives the focus back to the very element, which may have been made anew.
  const giveBack = () => {
    const lost = document.activeElement === document.body || el.contains(document.activeElement);
    if (opener && lost) document.querySelector(`[data-key="${CSS.escape(opener)}"]`)?.focus();
  };
  el.addEventListener('close', () => { el.remove(); giveBack(); closed?.(); });
  signal?.addEventListener('abort', close, {once: true});
  function close() {
    if (!el.open) return;
    el.close();
    giveBack(); // before what is near is gone: the event comes later
  }
  document.body.append(el);
  el.showModal();
  return {el, close};
}

// confirm asks before something that cannot be taken back. With a word, it has to be typed in. It runs act with a
// signal that ends when it is closed, and stays open with what say makes of the error when that fails. Once it is closed, a
// notice says what went wrong.
export function confirm({title, body, word, name, act, say, signal}) {
  const id = fresh('word');
  const under = new AbortController();
  const go = h('button.danger', {type: 'submit', disabled: Boolean(word), 'data-key': 'go'}, name);
  const input = word && h('input.mono', {id, autocomplete: 'off', spellcheck: 'false', 'data-key': 'word', oninput: () => { go.disabled = input.value !== word; }});
  const said = h('div');
  const form = h('form', {onsubmit: submit}, body,
    word && h('p', {}, h('label', {for: id}, t('Type {word} to confirm', {word})), input), said,
    h('div.dialog-foot', {}, h('button', {type: 'button', 'data-key': 'cancel', onclick: () => open.close()}, t('Cancel')), go));
  const open = dialog({title, body: form, signal, closed: () => under.abort()});
  async function submit(event) {
    event.preventDefault();
    go.disabled = true;
    try {
      await act(under.signal);
      open.close();
    } catch (err) {
      go.disabled = false;
      const unknown = err.code === 'unreachable' ? [t('It is not known whether this was done.')] : [];
      if (open.el.open) said.replaceChildren(say(err), ...unknown);
      else toast([`${name}: ${meaning(err)}`, ...unknown].join(' '), {kind: 'bad'});
    }
  }
}
