// All records of a filter, page by page.

import {get} from './api.js';

const page = 1000;

// eachPage calls each with the items of every page, in the order of the ids.
export async function eachPage(query, signal, each) {
  let cursor = '';
  do {
    const {items, nextCursor} = await get(['version'], {signal, query: {...query, limit: page, cursor}});
    await each(items);
    cursor = nextCursor ?? '';
  } while (cursor && !signal.aborted);
}
