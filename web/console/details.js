// The optional fields of a record: what they are called, and how they are said in short.

import {h} from './dom.js';
import {t} from './i18n.js';

export const schemes = ['natural', 'semver', 'debian', 'rpm', 'maven', 'pypi', 'nuget', 'pub', 'published'];

// fields are those of a record in the order of the form.
export const fields = ['versionNo', 'platform', 'scheme', 'minVersionNo', 'fromVersionNo', 'mandatory', 'rolloutPercent', 'withdrawn', 'attributes'];

export const fieldName = (field) => ({
  id: t('ID'), versionNo: t('Version'), platform: t('Platform'), scheme: t('Order'), minVersionNo: t('Minimum'), fromVersionNo: t('From'),
  mandatory: t('Mandatory'), rolloutPercent: t('Rollout'), withdrawn: t('Withdrawn'), attributes: t('Attributes'),
})[field];

// shown is the value of a field in words.
export function shown(record, field) {
  const value = record[field];
  if (value == null || value === '') return '–';
  if (typeof value === 'boolean') return value ? t('yes') : t('no');
  if (field === 'rolloutPercent') return `${value} %`;
  if (field === 'attributes') return Object.entries(value).map(([k, v]) => `${k}=${v}`).join('\n') || '–';
  return String(value);
}

// chips are what is special about a record.
export const chips = (r) => h('span.chips', {},
  r.withdrawn && h('span.badge.bad', {}, t('withdrawn')),
  r.mandatory && h('span.badge.warn', {}, t('mandatory')),
  r.rolloutPercent != null && h('span.badge.calm', {}, `${r.rolloutPercent} %`),
  r.minVersionNo && h('span.badge.calm', {}, `${t('min')} ${r.minVersionNo}`),
  r.fromVersionNo && h('span.badge.calm', {}, `${t('from')} ${r.fromVersionNo}`),
  r.scheme && h('span.badge.calm', {}, r.scheme));

// same reports whether two values of a field are the same; what is absent is false, and nothing.
export const same = (a, b) => canonical(a) === canonical(b);

const canonical = (v) => (v == null || v === '' || v === false ? '' : typeof v === 'object' ? JSON.stringify(Object.entries(v).sort()) : String(v));

// changes are the fields of after that differ from before, null for what was cleared, as a PUT takes them.
export function changes(before, after) {
  const changed = {versionNo: after.versionNo, platform: after.platform};
  for (const field of fields.slice(2)) {
    if (!same(before[field], after[field])) changed[field] = after[field] === '' || after[field] == null ? null : after[field];
  }
  return changed;
}

// anew is a record as a POST takes it.
export function anew(record) {
  const {revision, ...rest} = record;
  return Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== '' && v != null && v !== false));
}
