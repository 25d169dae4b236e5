// The public API of the node that the page came from. Addresses are relative, so that a proxy may serve the node below a
// path of its own.

import {sleep} from './dom.js';

const base = new URL('.', document.baseURI);
const patience = 30000; // far more than a node takes for a read
const tokenKey = 'versiond.token';

export const token = {
  get: () => sessionStorage.getItem(tokenKey),
  set: (secret) => sessionStorage.setItem(tokenKey, secret),
  forget: () => sessionStorage.removeItem(tokenKey),
};

// Problem is a request that was refused or not answered; code is the API's, or unreachable when nothing came back,
// or broken_off when an upload was given up.
export class Problem extends Error {
  constructor(fields) {
    super(fields.detail ?? fields.code);
    Object.assign(this, {errors: [], results: [], retryAfter: 0}, fields);
  }

  // passing reports whether the same request may do better in a moment.
  get passing() { return ['unreachable', 'no_leader', 'not_caught_up', 'store_unavailable', 'too_many_requests', 'timeout'].includes(this.code); }

  // unknown reports whether a write may have been done all the same.
  get unknown() { return this.code === 'outcome_unknown' || this.code === 'unreachable'; }
}

// heard is called with the headers of every answer, and with null when there was none.
export const listeners = {heard: () => {}, unauthorized: () => {}};

function address(path, query) {
  const url = new URL(path.map(encodeURIComponent).join('/'), base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== '' && value != null) url.searchParams.set(name, value);
  }
  return url;
}

// silence is a request that no node has answered.
function silence() {
  listeners.heard(null);
  return new Problem({code: 'unreachable', status: 0});
}

// send makes a request and returns the Response of a success. Path segments are encoded here: ids may have slashes. What has
// not come within so many milliseconds does not come.
export async function send(method, path, {query = {}, headers = {}, body, signal, within} = {}) {
  const url = address(path, query);
  const all = new Headers(headers);
  if (token.get()) all.set('Authorization', `Bearer ${token.get()}`);
  let answer;
  try {
    const ends = within && AbortSignal.any ? AbortSignal.any([AbortSignal.timeout(within), ...(signal ? [signal] : [])]) : signal; // browsers of before 2024 wait
    answer = await fetch(url, {method, headers: all, body, signal: ends, cache: 'no-store', credentials: 'same-origin'});
  } catch (err) {
    if (signal?.aborted) throw err;
    throw silence();
  }
  const refused = answer.ok ? null : await problem(answer);
  listeners.heard(refused?.code === 'unreachable' ? null : answer.headers);
  if (refused) throw refused;
  return answer;
}

// whole reads what was answered; what breaks off in the middle, or is no answer of a node's, is none.
async function whole(answer, form, signal) {
  try {
    return await answer[form]();
  } catch (err) {
    if (signal?.aborted) throw err;
    throw silence();
  }
}

async function problem(answer) {
  const fields = (await answer.json().catch(() => null)) ?? {};
  if (answer.status === 401) listeners.unauthorized();
  const proxys = [502, 503, 504].includes(answer.status) && !fields.checks; // /readyz has no code, but checks
  const code = fields.code ?? (proxys ? 'unreachable' : `http_${answer.status}`);
  return new Problem({...fields, code, status: answer.status, retryAfter: Number(answer.headers.get('Retry-After')) || 0});
}

// get reads JSON.
export async function get(path, options) {
  return whole(await send('GET', path, {within: patience, ...options}), 'json', options?.signal);
}

// getText reads text.
export async function getText(path, options) {
  return whole(await send('GET', path, options), 'text', options?.signal);
}

// write sends JSON. The key makes it safe to send again when the outcome is not known.
export async function write(method, path, {content, key, revision, ...options} = {}) {
  const headers = {'Content-Type': 'application/json'};
  if (key) headers['Idempotency-Key'] = key;
  if (revision) headers['If-Match'] = `"${revision}"`;
  const answer = await send(method, path, {...options, headers, body: content && JSON.stringify(content)});
  return answer.status === 204 ? null : whole(answer, 'json', options.signal);
}

// upload sends a file and tells progress how much of it, from 0 to 1, has gone: fetch does not say that.
export function upload(path, file, {query = {}, signal, progress}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address(path, query));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (token.get()) request.setRequestHeader('Authorization', `Bearer ${token.get()}`);
    request.upload.onprogress = ({loaded, total}) => progress(loaded / total);
    request.onerror = () => reject(new Problem({code: 'unreachable', status: 0}));
    request.onabort = () => reject(new Problem({code: 'broken_off', status: 0}));
    request.onload = () => {
      const answer = new Response(request.response, {status: request.status});
      if (answer.ok) resolve(whole(answer, 'json', signal));
      else problem(answer).then(reject);
    };
    signal?.addEventListener('abort', () => request.abort(), {once: true});
    request.send(file);
  });
}

// newKey returns an Idempotency-Key. crypto.randomUUID is for secure pages alone.
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
}

// repeat does something again and again while the page is seen, until the signal ends. It rests longer when it was asked to.
// What fails otherwise, as on an answer that is no node's, is told to the browser and ends nothing.
export async function repeat(ms, signal, work) {
  while (!signal.aborted) {
    let rest = ms;
    if (!document.hidden) {
      try {
        await work();
      } catch (err) {
        if (signal.aborted) return;
        if (err instanceof Problem) rest = Math.max(ms, err.retryAfter * 1000);
        else reportError(err);
      }
    }
    await sleep(rest, signal);
  }
}
