// Notices at the lower edge: what was done, with a way back. Screen readers hear them.

import {h} from './dom.js';
import {t} from './i18n.js';

const stays = 15000;
const most = 3;
const region = h('div.toasts', {role: 'status', 'aria-live': 'polite'});

export const notices = () => region;

// toast says something. The action, {name, run}, is offered for as long as the notice is there; it stays while somebody is at it.
export function toast(text, {kind = 'calm', action} = {}) {
  const el = h(`div.toast.${kind}`, {}, h('span', {}, text),
    action && h('button.quiet', {type: 'button', 'data-key': 'toast-action', onclick: () => { close(); action.run(); }}, action.name),
    h('button.quiet.icon', {type: 'button', 'aria-label': t('Close'), onclick: close}, '×'));
  let timer = setTimeout(leave, stays);
  function leave() {
    if (el.matches(':hover') || el.contains(document.activeElement)) timer = setTimeout(leave, stays);
    else close();
  }
  function close() {
    clearTimeout(timer);
    el.remove();
  }
  region.append(el);
  if (region.children.length > most) region.firstChild.remove();
}
