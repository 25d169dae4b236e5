// Files that the browser keeps for somebody.

import {h} from './dom.js';

// save hands over what is in a blob under a name.
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h('a', {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
