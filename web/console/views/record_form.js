// The form of a record. read gives what stands in it, or throws a Problem when that is no value, fill puts a record into it, complain shows what a node had against it.

import {Problem} from '../api.js';
import {h, fresh} from '../dom.js';
import {t} from '../i18n.js';
import {fieldName, schemes} from '../details.js';
import {refusal} from '../states.js';

export function recordForm(record, {fixed, readOnly}) {
  const id = fresh('record');
  const inputs = {};
  const wrong = {};
  const said = h('div', {tabindex: '-1'});
  let given; // attributes, and how they were written
  const scheme = h('select', {}, h('option', {value: ''}, 'natural'), schemes.slice(1).map((s) => h('option', {value: s}, s)));

  // field is a labelled input with a place for what is wrong with it.
  function field(name, input, about) {
    inputs[name] = input;
    wrong[name] = h('span.error', {id: `${id}-${name}-wrong`});
    input.id = `${id}-${name}`;
    input.dataset.key = name;
    input.setAttribute('aria-describedby', `${id}-${name}-about ${id}-${name}-wrong`);
    if (readOnly) input.disabled = true;
    return h('div.field', {}, h('label', {for: input.id}, fieldName(name)), input, h('span.about', {id: `${id}-${name}-about`}, about), wrong[name]);
  }

  const text = (props = {}) => h('input.mono', {type: 'text', autocomplete: 'off', spellcheck: 'false', ...props});
  const tick = () => h('input', {type: 'checkbox'});
  const rollout = h('input', {type: 'range', min: 0, max: 100, step: 1, 'aria-label': t('Rollout'), disabled: Boolean(readOnly), oninput: () => { inputs.rolloutPercent.value = rollout.value; }});
  const percent = h('input.mono', {type: 'number', min: 0, max: 100, placeholder: '100', oninput: () => { if (!percent.validity.badInput) rollout.value = percent.value === '' ? 100 : percent.value; }});

  const el = h('form.record', {id, novalidate: true},
    h('div.fields', {},
      field('id', text({readonly: fixed, required: true, maxlength: 128}), fixed ? t('stays as it is') : t('up to 128 bytes; a name with slashes is fine')),
      field('versionNo', text({required: true, maxlength: 64}), t('such as 1.4.0')),
      field('platform', text({required: true, maxlength: 64}), t('such as linux/amd64'))),
    h('h3', {}, t('How clients take it')),
    h('div.fields', {},
      field('scheme', scheme, t('how its versions are ordered')),
      field('minVersionNo', text({maxlength: 64}), t('clients below it must update')),
      field('fromVersionNo', text({maxlength: 64}), t('only clients from it on may take this version')),
      h('div.wide', {}, field('rolloutPercent', percent, t('of a hundred clients; empty is all')), rollout),
      field('mandatory', tick(), t('clients below this version must update')),
      field('withdrawn', tick(), t('it is for nobody any more'))),
    field('attributes', h('textarea.mono', {rows: 3, spellcheck: 'false'}), t('one name=value in each line, such as url=https://example.org; a line that begins with a blank goes on with the value')),
    said);

  function fillIn(r) {
    scheme.options[0].value = r.scheme === 'natural' ? 'natural' : ''; // it is kept as it was said
    if (r.scheme && ![...scheme.options].some(({value}) => value === r.scheme)) scheme.append(h('option', {value: r.scheme}, r.scheme)); // of a newer release
    for (const [name, input] of Object.entries(inputs)) {
      if (input.type === 'checkbox') input.checked = Boolean(r[name]);
      else if (name === 'attributes') input.value = written(r.attributes ?? {});
      else input.value = r[name] ?? '';
    }
    rollout.value = r.rolloutPercent ?? 100;
    given = {attributes: r.attributes ?? '', text: inputs.attributes.value};
  }

  function read() {
    // What is no number has an empty value, as if it were for all clients.
    if (percent.validity.badInput) throw new Problem({code: 'invalid_request', errors: [{field: 'rolloutPercent', detail: t('must be a whole number from 0 to 100')}]});
    const r = {};
    for (const [name, input] of Object.entries(inputs)) r[name] = input.type === 'checkbox' ? input.checked : input.value;
    r.rolloutPercent = r.rolloutPercent === '' ? '' : Number(r.rolloutPercent);
    r.attributes = r.attributes === given.text ? given.attributes : attributes(r.attributes, given.attributes);
    return r;
  }

  // complain without a problem takes back what was said.
  function complain(problem) {
    for (const [name, input] of Object.entries(inputs)) {
      const mine = problem?.errors.filter((e) => e.field.split(/[.[]/)[0] === name) ?? [];
      wrong[name].textContent = mine.map((e) => e.detail).join('; ');
      input.setAttribute('aria-invalid', mine.length > 0);
    }
    said.replaceChildren(...(problem ? [refusal(problem)] : []));
    if (problem) (el.querySelector('[aria-invalid=true]') ?? said).focus();
  }

  fillIn(record);
  return {el, read, fill: fillIn, complain, name: () => inputs.id.value};
}

// written writes attributes as name=value lines. A blank at its beginning says that a line goes on with the value.
const written = (attributes) => Object.entries(attributes).map(entry).join('\n');

const entry = ([name, value]) => `${name}=${value.replaceAll(/\r\n?/g, '\n').replaceAll('\n', '\n ')}`; // a field has no other ends of lines

// attributes reads them; a line without the sign has an empty value. What still stands as one of before was written is that
// one, whatever it would be read as.
function attributes(text, before) {
  const all = text.split(/\n(?! )/).filter((each) => each.trim()).map((each) => Object.entries(before).find((one) => entry(one) === each) ?? pair(each));
  return all.length ? Object.fromEntries(all) : '';
}

function pair(text) {
  const [name, ...rest] = text.split('=');
  const value = rest.join('=').replaceAll('\n ', '\n');
  return [name.trim(), name.endsWith(' ') ? value.trim() : value]; // name = value is written so for the eye
}
