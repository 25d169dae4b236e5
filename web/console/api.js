// The public API of the node that the page came from. Addresses are relative, so that a proxy may serve the node below a
// path of its own.

import {sleep} from './dom.js';

const base = new URL('.', document.baseURI);
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

// send makes a request and returns the Response of a success. Path segments are encoded here: ids may have slashes.
export async function send(method, path, {query = {}, headers = {}, body, signal} = {}) {
  const url = address(path, query);
  const all = new Headers(headers);
  if (token.get()) all.set('Authorization', `Bearer ${token.get()}`);
  let answer;
  try {
    answer = await fetch(url, {method, headers: all, body, signal, cache: 'no-store', credentials: 'same-origin'});
  } catch (err) {
    if (signal?.aborted) throw err;
    listeners.heard(null);
    throw new Problem({code: 'unreachable', status: 0});
  }
  listeners.heard(answer.headers);
  if (answer.ok) return answer;
  throw await problem(answer);
}

async function problem(answer) {
  const fields = await answer.json().catch(() => ({}));
  if (answer.status === 401) listeners.unauthorized();
  const code = fields.code ?? (answer.status === 502 || answer.status === 504 ? 'unreachable' : `http_${answer.status}`); // a proxy's own
  return new Problem({...fields, code, status: answer.status, retryAfter: Number(answer.headers.get('Retry-After')) || 0});
}

// get reads JSON.
export async function get(path, options) {
  return (await send('GET', path, options)).json();
}

// write sends JSON. The key makes it safe to send again when the outcome is not known.
export async function write(method, path, {content, key, revision, ...options} = {}) {
  const headers = {'Content-Type': 'application/json'};
  if (key) headers['Idempotency-Key'] = key;
  if (revision) headers['If-Match'] = `"${revision}"`;
  const answer = await send(method, path, {...options, headers, body: content && JSON.stringify(content)});
  return answer.status === 204 ? null : answer.json();
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
      if (answer.ok) resolve(answer.json());
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
export async function repeat(ms, signal, work) {
  while (!signal.aborted) {
    let rest = ms;
    if (!document.hidden) {
      try {
        await work();
      } catch (err) {
        if (signal.aborted) return;
        if (!(err instanceof Problem)) throw err;
        rest = Math.max(ms, err.retryAfter * 1000);
      }
    }
    await sleep(rest, signal);
  }
}
