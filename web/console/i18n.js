// Languages. English is what the scripts say; zh.js has the same in Chinese.

import {zh} from './zh.js';

const known = ['en', 'zh'];
const kept = localStorage.getItem('versiond.lang');

export let lang = known.includes(kept) ? kept : (navigator.languages ?? [navigator.language]).some(startsInChinese) ? 'zh' : 'en';
document.documentElement.lang = lang;

// startsInChinese reports whether a browser asks for Chinese before English.
function startsInChinese(wanted, i, all) {
  return wanted.startsWith('zh') && !all.slice(0, i).some((l) => l.startsWith('en'));
}

export function setLang(chosen) {
  lang = chosen;
  localStorage.setItem('versiond.lang', chosen);
  document.documentElement.lang = chosen;
}

// t says something in the language, with the values in the places of {name}.
export function t(text, values = {}) {
  let said = text;
  if (lang === 'zh') {
    said = zh[text];
    if (said === undefined) {
      console.error(`zh.js lacks: ${text}`);
      said = text;
    }
  }
  return said.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

// tn is t with a number, which decides between two forms.
export const tn = (n, one, many, values = {}) => t(n === 1 ? one : many, {n: number(n), ...values});

const locale = () => (lang === 'zh' ? 'zh-CN' : 'en');

export const number = (n) => new Intl.NumberFormat(locale()).format(n);

export function bytes(n) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(n, 1)) / 3)));
  return new Intl.NumberFormat(locale(), {style: 'unit', unit: units[at], unitDisplay: 'short', maximumFractionDigits: at ? 1 : 0}).format(n / 1000 ** at);
}

export const time = (at) => new Intl.DateTimeFormat(locale(), {dateStyle: 'medium', timeStyle: 'medium'}).format(new Date(at));

export const clock = (at) => new Intl.DateTimeFormat(locale(), {timeStyle: 'medium'}).format(at);

// ago says how long ago something was.
export function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(at)) / 1000));
  const [n, unit] = seconds < 60 ? [seconds, 'second'] : seconds < 3600 ? [Math.floor(seconds / 60), 'minute'] : [Math.floor(seconds / 3600), 'hour'];
  return new Intl.RelativeTimeFormat(locale(), {numeric: 'auto'}).format(-n, unit);
}
