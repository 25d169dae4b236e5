// What the console knows of the cluster and of who looks at it. Views listen for changes.

import {get, listeners, repeat} from './api.js';

export const session = {
  node: '', // who answered last
  role: '', // read, write or admin; '' while it is not known
  name: '', // of the token; '' on a node without tokens
  peers: null,
  leaders: [], // who has led since the page was opened: {id, at}
  ready: null, // the answer of /readyz
  problem: null, // why the last look at the cluster failed
  at: 0, // when one last succeeded
  silent: false, // the node did not answer at all
};

const patience = 10000; // with a node that takes a connection and says nothing

const changed = new EventTarget();

// onChange calls listen after every change, until the signal ends.
export const onChange = (listen, signal) => changed.addEventListener('change', listen, {signal});

const tell = () => changed.dispatchEvent(new Event('change'));

listeners.heard = (headers) => {
  session.node = headers?.get('X-Versiond-Node') ?? session.node;
  if (session.silent === !headers) return;
  session.silent = !headers;
  tell();
};

// forget is for when the token is not known any more.
export function forget() {
  session.role = session.name = '';
  session.peers = session.ready = session.problem = null;
}

const rank = {read: 1, write: 2, admin: 3};

// may reports whether the token has a role.
export const may = (role) => (rank[session.role] ?? 0) >= rank[role];

// identify asks the node whose token this is.
export async function identify(signal) {
  const who = await get(['whoami'], {signal, within: patience});
  session.role = who.role;
  session.name = who.name ?? '';
}

// look keeps looking at the cluster.
export const look = (signal) => repeat(2500, signal, () => lookOnce(signal));

export async function lookOnce(signal) {
  try {
    session.ready = await readiness(signal);
    session.peers = await get(['peers'], {signal, within: patience});
    session.problem = null;
    session.at = Date.now();
    noteLeader();
  } catch (err) {
    if (signal?.aborted) return;
    session.problem = err;
    throw err;
  } finally {
    tell();
  }
}

function noteLeader() {
  const first = leader();
  if (first && session.leaders.at(-1)?.id !== first.id) session.leaders.push({id: first.id, at: Date.now()});
}

// readiness is the same document with 200 and with 503.
async function readiness(signal) {
  try {
    return await get(['readyz'], {signal, within: patience});
  } catch (err) {
    if (err.checks) return {node: err.node, ready: err.ready, checks: err.checks};
    throw err;
  }
}

export const leader = () => session.peers?.members.find((m) => m.state === 'leader');
