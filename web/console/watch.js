// The stream of what is written, which goes on where it ended when a connection is lost: nothing is missed, nothing comes twice.

import {Problem, send} from './api.js';
import {sleep} from './dom.js';

const pause = {least: 500, most: 5000};

// watch calls on.events with some events, on.open with the node that serves them, and on.lost when the connection is. It
// begins after the revision at.since, or now when there is none, and keeps there how far it has come. It ends with the signal,
// or throws a Problem that does not pass.
export async function watch(filter, at, on, signal) {
  for (let rest = pause.least; !signal.aborted; rest = Math.min(2 * rest, pause.most)) {
    try {
      const answer = await send('GET', ['version', 'watch'], {query: {...filter, since: at.since || 'now'}, signal});
      on.open(answer.headers.get('X-Versiond-Node'));
      for await (const events of lines(answer.body)) {
        rest = pause.least;
        take(events, at, on);
      }
    } catch (err) {
      if (signal.aborted) return;
      if (!(err instanceof Problem) || !err.passing) throw err;
    }
    if (signal.aborted) return;
    on.lost();
    await sleep(rest, signal);
  }
}

function take(events, at, on) {
  for (const event of events) {
    if (event.type === 'error' && event.code === 'revision_gone') throw new Problem(event);
    if (event.revision && event.type !== 'error') at.since = event.revision;
  }
  on.events(events.filter((e) => e.type === 'put' || e.type === 'delete'));
}

// lines gives the events of each piece that came. A node says something every ten seconds: where nothing comes for longer the
// connection is lost, though nobody has said so. What is no event, such as a page on which a proxy asks who one is, ends them too.
export async function* lines(body, silence = 30000) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let rest = ''; ;) {
      const {done, value} = await within(silence, reader.read()).catch(() => ({done: true})); // a connection that broke has ended
      if (done) return;
      const whole = (rest + value).split('\n');
      rest = whole.pop();
      const events = parsed(whole.filter(Boolean));
      if (!events) return;
      yield events;
    }
  } finally {
    reader.cancel().catch(() => {}); // of one that broke there is nothing left
  }
}

function parsed(texts) {
  try {
    return texts.map((text) => JSON.parse(text));
  } catch {
    return null;
  }
}

// within fails when something takes longer.
function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(reject, ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
