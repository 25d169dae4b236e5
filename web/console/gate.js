// The question for a token. It is kept in sessionStorage, so that it is gone with the tab, and sent as a header alone.

import {token} from './api.js';
import {h, fresh} from './dom.js';
import {t} from './i18n.js';

const sendable = /^[\x21-\x7e]+$/; // a header takes no other signs, such as those of no width that come along when a token is copied

export function gate(refused, draw) {
  const id = fresh('token');
  const input = h('input', {id, type: 'password', autocomplete: 'off', required: true, spellcheck: 'false', 'data-key': 'token', 'aria-describedby': `${id}-about`, 'aria-invalid': refused && 'true'});
  const wrong = h('p.error', {role: 'alert'}, refused && t('The node does not know this token.'));
  const form = h('form.gate', {onsubmit: enter},
    h('h1', {}, t('This cluster asks for a token')),
    h('label', {for: id}, t('Token')), input,
    wrong,
    h('button.primary', {type: 'submit', 'data-key': 'enter'}, t('Enter')),
    h('p.muted', {id: `${id}-about`}, t('A token of the role read shows everything, write changes records, admin changes the cluster. It stays in this tab and is sent to this node alone.')));
  function enter(event) {
    event.preventDefault();
    const secret = input.value.trim();
    if (sendable.test(secret)) {
      token.set(secret);
      draw();
      return;
    }
    wrong.textContent = t('A character in it is of no token, perhaps one that cannot be seen. Copy it again.');
    input.setAttribute('aria-invalid', 'true');
  }
  requestAnimationFrame(() => input.focus());
  return form;
}
