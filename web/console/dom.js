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
// nothing out of anybody's hands.
export function fill(el, ...children) {
  const key = el.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  el.replaceChildren();
  append(el, children);
  if (key) el.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
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
