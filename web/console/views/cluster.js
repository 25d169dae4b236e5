// Who belongs to the cluster and how each does; what this node says of itself.

import {h, fill} from '../dom.js';
import {t, tn, number, ago, time} from '../i18n.js';
import {icon} from '../icons.js';
import {session, onChange, leader, lookOnce, may} from '../session.js';
import {loading, failure} from '../states.js';
import {table} from '../table.js';
import {giveVote, join, moveLead, removeMember} from './members.js';
import {plots} from './plots.js';

export function cluster(root, signal) {
  const said = h('section.summary', {'aria-label': t('State')});
  const members = h('section', {'aria-label': t('Members')}, loading(3));
  const checks = h('section', {'aria-label': t('Checks')});
  const moved = h('section', {'aria-label': t('Leader changes')});
  root.append(h('div.head', {}, h('h1', {}, t('Cluster')), may('admin') && h('button', {type: 'button', 'data-key': 'join', onclick: () => join(signal)}, t('Let a node join'))),
    said, members, h('section', {'aria-label': t('Work')}, h('h2', {}, t('Work of this node')), plots(signal)), checks, moved);
  const renew = () => {
    if (!session.peers) {
      if (session.problem) fill(members, failure(session.problem, () => lookOnce(signal).catch(() => {}), signal));
      return;
    }
    fill(said, summary());
    fill(members, h('h2', {}, t('Members')), memberTable(signal));
    fill(checks, checkList());
    fill(moved, leaderChanges());
  };
  onChange(renew, signal);
  renew();
}

// summary says in a sentence what an operator wants to know first.
function summary() {
  const {members, failureTolerance: may} = session.peers;
  const voters = members.filter((m) => m.suffrage === 'voter');
  const alive = voters.filter((m) => m.reachable).length;
  const first = leader();
  const lag = Math.max(0, ...members.map((m) => m.lag));
  return [
    tile(t('Leader'), first ? first.id : t('none'), first ? '' : t('Writes wait until there is one.'), first ? 'ok' : 'bad'),
    tile(t('Voters that answer'), `${alive} / ${voters.length}`, may < 0
      ? tn(-may, 'One more has to come back before anything can be written.', '{n} more have to come back before anything can be written.')
      : may === 0 ? t('No more may fail: one more, and nothing can be written.')
        : tn(may, 'One more may fail, and all goes on.', '{n} more may fail, and all goes on.'), may > 0 ? 'ok' : may === 0 ? 'warn' : 'bad'),
    tile(t('Behind'), number(lag), lag ? t('log entries, on the node that is furthest behind') : t('Every node that answers has everything.'), 'calm'),
  ];
}

const tile = (name, value, about, kind) => h(`div.tile.${kind}`, {}, h('span.name', {}, name), h('strong', {}, value), h('span.about', {}, about));

const roleName = (m) => {
  if (!m.reachable) return [t('no answer'), 'bad'];
  if (m.state === 'leader') return [t('leader'), 'ok'];
  if (m.suffrage === 'nonvoter') return [t('replica, no vote'), 'calm'];
  return [{follower: t('follower'), candidate: t('candidate'), waiting: t('waiting'), shutdown: t('stopping')}[m.state] ?? m.state, m.state === 'follower' ? 'calm' : 'warn'];
};

function memberTable(signal) {
  return table(t('Members'), [
    {name: t('Node'), class: 'grow', cell: (m) => [h('strong.mono', {}, m.id), h('span.sub.mono', {}, m.address)]},
    {name: t('Role'), cell: (m) => { const [word, kind] = roleName(m); return h(`span.badge.${kind}`, {}, word); }},
    {name: t('Behind'), class: 'num', cell: (m) => (m.reachable ? number(m.lag) : '–')},
    {name: t('Applied'), class: 'num', cell: (m) => (m.reachable ? number(m.appliedIndex) : '–')},
    {name: t('Last contact'), cell: (m) => (m.lastContact ? ago(m.lastContact) : t('none'))},
    {name: t('Release'), cell: (m) => m.release || '–'},
    {name: t('Checks'), cell: (m) => (m.failing ? h('span.chips', {}, m.failing.map((name) => h('span.badge.bad', {title: name === 'content' ? m.divergence : null}, name))) : m.reachable ? h('span.badge.ok', {}, t('in order')) : '–')},
    may('admin') && {name: t('Change'), class: 'acts', cell: (m) => acts(m, signal)},
  ].filter(Boolean), session.peers.members, (m) => m.id);
}

const acts = (m, signal) => h('span.row', {},
  m.reachable && m.suffrage === 'voter' && m.state !== 'leader' && h('button', {type: 'button', 'data-key': `lead-${m.id}`, 'aria-label': t('Let {id} lead', {id: m.id}), onclick: () => moveLead(m, signal)}, t('Let it lead')),
  m.suffrage === 'nonvoter' && h('button', {type: 'button', 'data-key': `vote-${m.id}`, 'aria-label': t('Give {id} a vote', {id: m.id}), onclick: () => giveVote(m, signal)}, t('Give it a vote')),
  h('button', {type: 'button', 'data-key': `remove-${m.id}`, 'aria-label': t('Remove {id}', {id: m.id}), onclick: () => removeMember(m, signal)}, t('Remove…')));

// leaderChanges are those of the time since the page was opened.
const leaderChanges = () => session.leaders.length > 1 && [h('h2', {}, t('Leader changes')), h('ol.past', {}, session.leaders.slice(1).reverse().map((l) => h('li', {}, h('strong.mono', {}, l.id), ' ', h('span.muted', {}, time(l.at)))))];

function checkList() {
  if (!session.ready) return null;
  return [h('h2', {}, t('Checks of {node}', {node: session.ready.node})), h('ul.checks', {}, session.ready.checks.map((c) =>
    h(c.ok ? 'li.ok' : 'li.bad', {}, icon(c.ok ? 'yes' : 'no'), h('span.what', {}, h('strong', {}, c.name), ' ', c.ok ? t('in order') : t('failed')), c.detail && h('span.muted', {}, c.detail))))];
}
