// Elements, made by hand: h('button.primary', {onclick: save}, 'Save').

// h makes an element. The spec is a tag with classes; functions among the properties listen, true and false set and leave
// out an attribute; children that are null or false are left out.
export function h(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const el = document.createElement(tag);
  if (classes.length) el.className = classes.join(' ');
  for (const [name, value] of Object.entries(props)) set(el, name, value);
  append(el, children);
  return el;
}

function set(el, name, value) {
  if (typeof value === 'function') el.addEventListener(name.slice(2), value);
  else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'indeterminate') el[name] = value;
  else if (value === true) el.setAttribute(name, '');
  else if (value !== false && value != null) el.setAttribute(name, value);
}

function append(el, children) {
  for (const child of children.flat(Infinity)) {
    if (child != null && child !== false) el.append(child);
  }
}

// svg is h for pictures.
export function svg(tag, props = {}, ...children) {
  const el = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(props)) el.setAttribute(name, value);
  append(el, children);
  return el;
}

// fill replaces what is in el. Who had the focus gets it again, found by its data-key, so that what renews itself takes
// nothing out of anybody's hands. Where it is gone or disabled the nearest neighbour gets it, or else el.
export function fill(el, ...children) {
  const active = document.activeElement;
  const near = el !== active && el.contains(active) ? keysFrom(el, active) : null;
  el.replaceChildren();
  append(el, children);
  if (near) refocus(el, near);
}

// keysFrom are the keys in el: that of the active element, those after it, then those before it, the nearest first.
function keysFrom(el, active) {
  const all = [...el.querySelectorAll('[data-key]')];
  const at = all.indexOf(active);
  return at < 0 ? [] : [...all.slice(at), ...all.slice(0, at).reverse()].map((each) => each.dataset.key);
}

function refocus(el, keys) {
  for (const key of keys) {
    const found = el.querySelector(`[data-key="${CSS.escape(key)}"]`);
    found?.focus();
    if (found && found === document.activeElement) return;
  }
  el.tabIndex = -1;
  el.focus({preventScroll: true});
}

// afterPause returns soon, which has act called once nobody has called it for a while, and now, which does so at once. A view
// that is not shown any more does nothing.
export function afterPause(act, signal) {
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(now, 300);
  };
  function now() {
    clearTimeout(timer);
    if (!signal.aborted) act();
  }
  return {soon, now};
}

let made = 0;

// fresh returns an id that no other element has.
export const fresh = (name) => `${name}-${++made}`;

// sleep resolves after some milliseconds, or when the signal ends.
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
    function end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end); // the signal may be there for as long as the page is
      resolve();
    }
  });
}
