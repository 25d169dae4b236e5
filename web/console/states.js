// What stands where something else will: loading, nothing there, a failure that mends itself or does not.

import {h, sleep} from './dom.js';
import {t} from './i18n.js';
import {icon} from './icons.js';
import {meaning} from './words.js';

// loading is lines in the shape of what comes.
export const loading = (lines = 6) => h('div.skeleton', {role: 'status', 'aria-label': t('Loading…')}, Array.from({length: lines}, () => h('i')));

export const nothing = (title, ...more) => h('div.empty', {}, icon('empty'), h('h2', {}, title), more);

// failure says what went wrong. What may pass is tried again by itself.
export function failure(problem, again, signal, ...more) {
  const button = h('button', {type: 'button', 'data-key': 'again', onclick: again}, t('Try again'));
  if (problem.passing) sleep(Math.max(2000, problem.retryAfter * 1000), signal).then(() => !signal.aborted && button.isConnected && again());
  return h('div.failure', {role: 'alert'},
    h('h2', {}, meaning(problem)),
    h('p.muted', {}, problem.passing ? t('Trying again by itself…') : problem.detail),
    problem.passing && problem.detail && h('p.muted.small', {}, problem.detail),
    h('div.row', {}, button, more));
}

// refusal is a failure in a form: short, with what the node said.
export const refusal = (problem) => h('div.refusal', {role: 'alert'},
  h('strong', {}, meaning(problem)),
  problem.errors.length > 0 ? h('ul', {}, problem.errors.map((e) => h('li', {}, h('code', {}, e.field), ` ${e.detail}`))) : problem.detail && h('p', {}, problem.detail));
