// What an import would do: each record of a file beside the one that there is.

import {eachPage} from './all.js';
import {fields, same} from './details.js';

// plan returns {create, update, same, wrong}: lists of {line, record, there} or {line, wrong}. looked is told how many
// records of the cluster were looked at.
export async function plan(rows, signal, looked) {
  const wanted = new Map();
  const found = {create: [], update: [], same: [], wrong: rows.filter((r) => r.wrong)};
  for (const row of rows) {
    if (row.wrong) continue;
    const first = wanted.get(row.record.id);
    if (first) found.wrong.push({line: row.line, wrong: `${row.record.id} is in line ${first.line} already`});
    else wanted.set(row.record.id, row);
  }
  let n = 0;
  if (wanted.size) {
    await eachPage({prefix: commonStart([...wanted.keys()])}, signal, (items) => {
      for (const there of items) {
        const row = wanted.get(there.id);
        if (!row) continue;
        const differs = fields.some((f) => f in row.record && !same(row.record[f], there[f]));
        found[differs ? 'update' : 'same'].push({...row, there});
        wanted.delete(there.id);
      }
      looked(n += items.length);
    });
  }
  found.create = [...wanted.values()];
  return found;
}

// commonStart is how all of some IDs begin.
function commonStart(ids) {
  let start = ids[0];
  for (const id of ids) {
    while (!id.startsWith(start)) start = start.slice(0, -1);
  }
  return start.replace(/[\uD800-\uDBFF]$/, ''); // no half of a sign
}

const most = {items: 500, bytes: 200000}; // the node takes half a MiB
const utf8 = new TextEncoder();

// batches are the items of the batches that do what was planned. An update depends on what was seen.
export function* batches({create, update}) {
  const all = [
    ...create.map((row) => ({row, item: {op: 'create', ...row.record}})),
    ...update.map((row) => ({row, item: {op: 'update', ...row.record, ifMatch: String(row.there.revision)}})),
  ];
  let some = [];
  let size = 0;
  for (const each of all) {
    const bytes = utf8.encode(JSON.stringify(each.item)).length;
    if (some.length === most.items || size + bytes > most.bytes) {
      yield some;
      some = [];
      size = 0;
    }
    some.push(each);
    size += bytes;
  }
  if (some.length) yield some;
}
