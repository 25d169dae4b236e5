// The head of the page: the views, how the cluster does, the language, the colours, the token.

import {token} from './api.js';
import {h, fill} from './dom.js';
import {t, tn, lang, setLang} from './i18n.js';
import {session, onChange, leader, forget} from './session.js';
import {icon} from './icons.js';

export function header(views, chosen, draw, signal) {
  const tabs = h('nav', {'aria-label': t('Views')}, Object.entries(views).map(([id, v]) => h('a', {href: `#/${id}`, 'data-key': `tab-${id}`, onclick: anew}, v.name())));
  header.renew = () => {
    for (const tab of tabs.children) {
      if (tab.hash === `#/${chosen()}`) tab.setAttribute('aria-current', 'page');
      else tab.removeAttribute('aria-current');
    }
  };
  header.renew();
  return h('header.top', {},
    h('div.brand', {}, h('img', {src: 'console/icon.svg', alt: '', width: 24, height: 24}), h('strong', {}, 'versiond')),
    tabs, health(signal), who(draw, signal), choices(draw));
}

// anew shows a view again that is shown already; the address does not change then.
function anew(event) {
  if (event.currentTarget.hasAttribute('aria-current')) dispatchEvent(new Event('hashchange'));
}

// health is the state of the cluster in three words.
function health(signal) {
  const el = h('a.pill', {href: '#/cluster', 'data-key': 'health'});
  const renew = () => {
    const [kind, said] = state();
    el.className = `pill ${kind}`;
    if (el.dataset.said === said) return;
    el.dataset.said = said;
    fill(el, h('span.dot', {'aria-hidden': 'true'}), said);
  };
  onChange(renew, signal);
  renew();
  return el;
}

function state() {
  if (session.silent) return ['bad', t('No answer')];
  if (!session.peers) return ['calm', t('Connecting…')];
  if (session.problem) return ['warn', t('State not known')];
  if (!leader()) return ['bad', t('No leader')];
  const may = session.peers.failureTolerance;
  if (may < 1) return ['warn', t('No node may fail')];
  return ['ok', tn(may, '{n} node may fail', '{n} nodes may fail')];
}

function who(draw, signal) {
  const el = h('span.who');
  const renew = () => {
    const said = session.name && `${session.name} · ${session.role}`;
    if (el.dataset.said === said) return;
    el.dataset.said = said;
    fill(el, session.name && [h('span', {}, said), h('button.quiet', {type: 'button', 'data-key': 'leave', onclick: leave}, t('Leave'))]);
  };
  const leave = () => {
    token.forget();
    forget();
    draw();
  };
  onChange(renew, signal);
  renew();
  return el;
}

function choices(draw) {
  const other = lang === 'zh' ? 'en' : 'zh';
  return h('span.choices', {},
    h('button.quiet', {type: 'button', lang: other === 'zh' ? 'zh-CN' : 'en', 'data-key': 'lang', onclick: () => { setLang(other); draw(); }}, other === 'zh' ? '中文' : 'English'),
    h('button.quiet.icon', {type: 'button', 'data-key': 'theme', 'aria-label': t('Switch between light and dark'), onclick: switchTheme}, icon('theme')));
}

function switchTheme() {
  const {dataset} = document.documentElement;
  const dark = dataset.theme ? dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('versiond.theme', dataset.theme);
}
