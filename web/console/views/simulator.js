// A client that is not there: which version would it be told to take, and why.

import {get, Problem} from '../api.js';
import {h, fill} from '../dom.js';
import {t} from '../i18n.js';
import {refusal} from '../states.js';

// simulator returns its element and fill, which puts ids and a version into it.
export function simulator(signal) {
  const inputs = {};
  const said = h('div.answer', {'aria-live': 'polite'});
  const field = (name, label, about, props = {}) => {
    inputs[name] = h('input.mono', {type: 'text', autocomplete: 'off', spellcheck: 'false', 'data-key': `sim-${name}`, ...props});
    return h('label.field', {}, h('span', {}, label), inputs[name], h('span.about', {}, about));
  };
  async function ask(event) {
    event?.preventDefault();
    const query = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]));
    try {
      fill(said, verdict(await get(['version', 'check'], {signal, query}), query));
    } catch (err) {
      if (signal.aborted) return;
      if (!(err instanceof Problem)) throw err;
      fill(said, refusal(err));
    }
  }
  const el = h('section.simulator', {'aria-label': t('Simulator')}, h('h2', {}, t('What would a client be told?')),
    h('form', {onsubmit: ask},
      h('div.fields', {},
        field('id', t('IDs'), t('with commas between them')), field('prefix', t('or ID begins with'), t('instead of IDs')), field('platform', t('Platform'), t('empty is any')),
        field('current', t('The client has version'), t('such as 1.4.0'), {required: true}), field('client', t('Name of the client'), t('decides about rollouts; the same each time'))),
      h('button.primary', {type: 'submit', 'data-key': 'sim-ask'}, t('Ask'))),
    said);
  return {el, fill: (values) => {
    for (const [name, input] of Object.entries(inputs)) input.value = values[name] ?? '';
    fill(said);
    el.scrollIntoView({block: 'center'});
    inputs.current.focus();
  }};
}

// verdict says the answer and the rule that led to it.
function verdict(answer, query) {
  const [kind, word] = {
    none: ['calm', t('no update')], optional: ['ok', t('an update, if the client likes')], mandatory: ['warn', t('the client must update')], downgrade: ['bad', t('the client must go back')],
  }[answer.update];
  return [
    h('p', {}, h(`span.badge.${kind}`, {'data-update': answer.update}, word), ' ', answer.latest && h('strong.mono', {}, `${answer.current} → ${answer.latest.versionNo}`), answer.latest && h('span.muted', {}, ` ${answer.latest.id}`)),
    h('p', {}, rule(answer)),
    !query.client && h('p.muted', {}, t('Without a name a client is outside of every rollout below 100 %.')),
    h('p.muted', {}, t('Compared by {scheme}.', {scheme: answer.scheme})),
  ];
}

function rule({update, latest, minVersionNo, supported, ahead}) {
  const values = {latest: latest?.versionNo, min: minVersionNo};
  if (!latest) return t('No version is for this client: each is withdrawn, wants a newer client, or is rolled out to others.');
  if (update === 'downgrade') return t('The version that the client has was withdrawn, and {latest} is the highest that is left.', values);
  if (update === 'mandatory') {
    return supported ? t('A mandatory version comes after the one that the client has, up to {latest}.', values) : t('The client is below {min}, the minimum that {latest} has.', values);
  }
  if (update === 'optional') return t('{latest} is newer, and nothing forces the client.', values);
  return ahead ? t('The client is ahead of {latest}, and is left alone.', values) : t('The client has the highest version that is for it.');
}
