// Tables. On a narrow screen each row is shown as a card, so the roles are written out: browsers forget them then.

import {h} from './dom.js';

// table makes one. Columns are {name, cell, class}; a cell is made of an item.
export function table(label, columns, items, key) {
  return h('table', {role: 'table', 'aria-label': label},
    h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, columns.map((c) => h('th', {role: 'columnheader', scope: 'col', class: c.class}, c.name)))),
    h('tbody', {role: 'rowgroup'}, items.map((item) => h('tr', {role: 'row', 'data-row': key(item)},
      columns.map((c) => h('td', {role: 'cell', class: c.class, 'data-label': c.name}, c.cell(item)))))));
}
