// The page: what stands around the views, and which view is shown. A view is a function that is given its root and a
// signal that ends when another one is shown.

import {token, listeners, Problem} from './api.js';
import {h, fill} from './dom.js';
import {t, clock} from './i18n.js';
import {header} from './header.js';
import {gate} from './gate.js';
import {notices} from './toast.js';
import {failure} from './states.js';
import {session, identify, look, onChange, forget} from './session.js';
import {meaning} from './words.js';
import {cluster} from './views/cluster.js';
import {records} from './views/records.js';
import {versions} from './views/versions.js';
import {live} from './views/live.js';
import {backup} from './views/backup.js';

const views = {
  cluster: {name: () => t('Cluster'), show: cluster},
  records: {name: () => t('Records'), show: records},
  versions: {name: () => t('Versions'), show: versions},
  live: {name: () => t('Live'), show: live},
  backup: {name: () => t('Backup'), show: backup},
};

const main = h('main', {id: 'main', tabindex: '-1'});
let page = new AbortController(); // ends when everything is drawn anew
let view = new AbortController(); // ends when another view is shown

const place = () => location.hash.replace(/^#\/?/, '').split('?')[0];
const chosen = () => (views[place()] ? place() : 'cluster');

// draw makes everything anew: at the start, with another language, with another token.
function draw() {
  frame();
  if (session.role) look(page.signal);
  show();
}

function frame() {
  page.abort();
  page = new AbortController();
  fill(document.body,
    h('a.skip', {href: '#main', onclick: skip}, t('Skip to the content')),
    header(views, chosen, draw, page.signal), banner(page.signal), main, notices());
}

function skip(event) {
  event.preventDefault(); // the address says which view it is
  main.focus();
}

// show puts the chosen view into the page, or asks for a token first.
async function show() {
  view.abort();
  view = new AbortController();
  const {signal} = view;
  document.title = `${views[chosen()].name()} · versiond`;
  if (!session.role && !(await identified(signal))) return;
  main.replaceChildren();
  main.dataset.view = chosen();
  views[chosen()].show(main, signal);
}

async function identified(signal) {
  try {
    await identify(signal);
  } catch (err) {
    if (signal.aborted) return false;
    if (!(err instanceof Problem)) throw err;
    if (err.status !== 401) fill(main, failure(err, show, signal));
    return false;
  }
  look(page.signal);
  return !signal.aborted;
}

// A token that is not known, or not any more, is asked for again.
listeners.unauthorized = () => {
  view.abort();
  forget();
  frame();
  const refused = token.get() !== null;
  token.forget();
  main.dataset.view = 'gate';
  fill(main, gate(refused, draw));
};

// banner says when the node is silent or cannot do its work, and how old is what is shown then. It goes away by itself.
function banner(signal) {
  const el = h('div.banner', {role: 'status', hidden: true});
  const renew = () => {
    const said = trouble();
    el.hidden = !said;
    if (el.textContent !== said) el.textContent = said;
  };
  onChange(renew, signal);
  renew();
  return el;
}

function trouble() {
  const old = (session.silent || session.problem) && session.peers && t('What is shown here is as of {time}.', {time: clock(session.at)});
  return [ailing(), old].filter(Boolean).join(' ');
}

function ailing() {
  if (session.silent) return t('{node} does not answer. Trying again…', {node: session.node || t('The node')});
  const wrong = session.ready?.checks.filter((c) => !c.ok) ?? [];
  if (!wrong.length) return session.problem ? meaning(session.problem) : '';
  const named = wrong.map((c) => c.name);
  if (named.includes('leader')) return t('{node} knows no leader: writes wait, and so do reads that must be current. It goes on by itself.', {node: session.ready.node});
  return t('{node} is not ready ({checks}). It goes on by itself once that is over.', {node: session.ready.node, checks: named.join(', ')});
}

addEventListener('hashchange', () => {
  header.renew();
  show();
  main.focus({preventScroll: true});
  scrollTo(0, 0);
});
draw();
