// Small pictures, drawn with lines. They say nothing that a word beside them does not say.

import {svg} from './dom.js';

const paths = {
  theme: 'M12 4a8 8 0 1 0 0 16zM12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19z',
  yes: 'M5 12.5l4.5 4.5L19 7.5',
  no: 'M6 6l12 12M18 6L6 18',
  empty: 'M4 7h16v12H4zM4 7l3-3h10l3 3M9 12h6',
  link: 'M14 5h5v5M19 5l-8 8M11 6H6v12h12v-5',
};

export const icon = (name) => svg('svg', {viewBox: '0 0 24 24', class: `icon icon-${name}`, 'aria-hidden': 'true', focusable: 'false'}, svg('path', {d: paths[name]}));
