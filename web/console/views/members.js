// What changes the cluster: who leads, who joins, who goes. Each is asked twice, and says what it risks.

import {send, write} from '../api.js';
import {confirm} from '../dialog.js';
import {h, fresh} from '../dom.js';
import {t, tn} from '../i18n.js';
import {lookOnce, session} from '../session.js';
import {refusal} from '../states.js';
import {toast} from '../toast.js';

const seen = (signal) => lookOnce(signal).catch(() => {}); // the page says by itself that the node is silent

export function moveLead(member, signal) {
  confirm({
    title: t('Let {id} lead?', {id: member.id}), name: t('Let it lead'), signal, say: refusal,
    body: h('p', {}, t('Writes wait for a moment while the lead moves. Nothing is lost.')),
    act: async () => {
      await write('POST', ['leader', member.id], {signal});
      toast(t('{id} leads now.', {id: member.id}), {kind: 'ok'});
      seen(signal);
    },
  });
}

export function giveVote(member, signal) {
  confirm({
    title: t('Give {id} a vote?', {id: member.id}), name: t('Give it a vote'), signal, say: refusal,
    body: h('p', {}, t('It counts for the majority as soon as it has caught up.')),
    act: async () => {
      await write('POST', ['join', member.id, member.address], {signal});
      toast(t('{id} gets a vote once it has caught up.', {id: member.id}), {kind: 'ok'});
      seen(signal);
    },
  });
}

// join asks for a node that runs already and waits to be taken in.
export function join(signal) {
  const id = fresh('join');
  const name = h('input.mono', {id: `${id}-name`, required: true, autocomplete: 'off', spellcheck: 'false', pattern: '[a-z0-9][a-z0-9_\\-]{0,31}', 'data-key': 'join-id', placeholder: 'node4'});
  const address = h('input.mono', {id: `${id}-address`, required: true, autocomplete: 'off', spellcheck: 'false', 'data-key': 'join-address', placeholder: '10.0.0.4:7001'});
  const replica = h('input', {type: 'checkbox', 'data-key': 'join-replica'});
  confirm({
    title: t('Let a node join'), name: t('Join'), signal, say: refusal,
    body: [h('p.muted', {}, t('Start it first, with an empty data directory. It is asked at its peer address who it is.')),
      h('div.field', {}, h('label', {for: name.id}, t('ID')), name), h('div.field', {}, h('label', {for: address.id}, t('Peer address')), address),
      h('label.row', {}, replica, t('A replica: it gets everything and has no vote'))],
    act: async () => {
      await write('POST', ['join', name.value.trim(), address.value.trim()], {signal, query: {voter: replica.checked ? 'false' : ''}});
      toast(t('{id} is a member.', {id: name.value.trim()}), {kind: 'ok'});
      seen(signal);
    },
  });
}

export function removeMember(member, signal) {
  const force = h('input', {type: 'checkbox', 'data-key': 'force'});
  const forced = h('label.row', {hidden: true}, force, t('Remove it all the same'));
  confirm({
    title: t('Remove {id}?', {id: member.id}), name: t('Remove'), word: member.id, signal,
    body: [h('p', {}, risk(member)), member.state === 'leader' && h('p', {}, t('It leads; it hands over first.')),
      h('p.muted', {}, t('To come back it needs an empty data directory, or to be joined again.')), forced],
    say: (err) => {
      forced.hidden = err.code !== 'quorum_at_risk';
      return refusal(err);
    },
    act: async () => {
      await send('DELETE', ['peer', member.id], {signal, query: {force: force.checked || ''}});
      toast(t('{id} is no member any more.', {id: member.id}), {kind: 'ok'});
      seen(signal);
    },
  });
}

// risk says what the cluster can bear when the member has gone.
function risk(member) {
  if (member.suffrage !== 'voter') return t('It has no vote: the majority stays what it is.');
  const left = session.peers.members.filter((m) => m.suffrage === 'voter' && m.id !== member.id);
  const alive = left.filter((m) => m.reachable).length;
  const may = alive - (Math.floor(left.length / 2) + 1);
  const then = tn(left.length, '{n} voter is left then, of which {alive} answers.', '{n} voters are left then, of which {alive} answer.', {alive});
  if (may < 0) return `${then} ${t('They are no majority: nothing could be written any more.')}`;
  if (may === 0) return `${then} ${t('None of them may fail.')}`;
  return `${then} ${tn(may, '{n} of them may fail.', '{n} of them may fail.')}`;
}
