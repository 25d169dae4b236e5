// Records in files: CSV and JSON lines, as versiond export writes them and versiond import reads them.

export const columns = ['id', 'versionNo', 'platform', 'scheme', 'minVersionNo', 'fromVersionNo', 'mandatory', 'rolloutPercent', 'withdrawn', 'attributes'];

// toLine writes a record as a line of JSON, without its revision, which is this cluster's own.
export function toLine({revision, ...record}) {
  return `${JSON.stringify(record)}\n`;
}

export const csvHead = `${columns.join(',')}\n`;

export function toCsv(record) {
  return `${columns.map((c) => quoted(cellOf(record, c))).join(',')}\n`;
}

function cellOf(record, column) {
  const value = record[column];
  if (value == null || value === false) return '';
  return column === 'attributes' ? (Object.keys(value).length ? JSON.stringify(value) : '') : String(value);
}

const quoted = (cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

// readRows returns what is in a file: {line, record} or {line, wrong}, where wrong says what is.
export function readRows(text) {
  const clean = text.replace(/^\uFEFF/, '');
  return clean.trimStart().startsWith('{') ? jsonRows(clean) : csvRows(clean);
}

function jsonRows(text) {
  return text.split('\n').map((content, i) => ({line: i + 1, content})).filter(({content}) => content.trim()).map(({line, content}) => {
    try {
      return checked(line, JSON.parse(content));
    } catch (err) {
      return {line, wrong: err.message};
    }
  });
}

function csvRows(text) {
  const table = cells(text);
  const named = table[0]?.cells?.includes('id');
  const names = named ? table[0].cells : columns.slice(0, 3);
  const stranger = names.find((n) => !columns.includes(n));
  if (stranger !== undefined) return [{line: 1, wrong: `no column is called "${stranger}"; these are: ${columns.join(', ')}`}];
  return table.slice(named ? 1 : 0).map(({line, wrong, cells: row}) => {
    if (wrong) return {line, wrong};
    if (row.length !== names.length) return {line, wrong: `has ${row.length} columns and not ${names.length} (${names.join(',')})`};
    try {
      return checked(line, Object.fromEntries(names.map((n, i) => [n, valueOf(n, row[i])]).filter(([, v]) => v !== undefined)));
    } catch (err) {
      return {line, wrong: err.message};
    }
  });
}

function valueOf(column, cell) {
  if (cell === '') return undefined;
  if (column === 'attributes') return JSON.parse(cell);
  if (column === 'rolloutPercent') return /^\d+$/.test(cell) ? Number(cell) : NaN; // a blank would be 0
  if (column !== 'mandatory' && column !== 'withdrawn') return cell;
  if (!['true', 'false', '1', '0'].includes(cell.toLowerCase())) throw new Error(`${column} must be true or false`);
  return cell === '1' || cell.toLowerCase() === 'true';
}

// cells takes CSV apart as RFC 4180 has it: a quoted cell may have commas and line ends. A line
// with quotes that are not right is refused, and the others are read.
function cells(text) {
  const table = [];
  const cell = /(?:"([^"]*(?:""[^"]*)*)"|((?:[^",\r\n]|\r(?!\n))*))(,|\r?\n|$)/y;
  const spoilt = /(?:"[^"]*(?:""[^"]*)*(?:"|$))?[^\n]*\n?/y; // up to the end of the line, or of the file where a quote has none
  let at = 0;
  let row = [];
  let line = 1;
  let begun = 1;
  while (at < text.length || row.length) { // after a comma one more cell comes, though it may be empty
    cell.lastIndex = spoilt.lastIndex = at;
    const found = cell.exec(text);
    const [whole, quoted, plain, end] = found ?? spoilt.exec(text);
    at += whole.length;
    line += whole.split('\n').length - 1;
    if (found) row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    if (!found) table.push({line: begun, wrong: 'has a quote where none may be, or one without an end'});
    else if (row.length > 1 || row[0] !== '') table.push({line: begun, cells: row});
    row = [];
    begun = line;
  }
  return table;
}

// checked finds what no node would take; the rest is for the node to say.
function checked(line, record) {
  const {revision, ...rest} = record;
  for (const field of ['id', 'versionNo', 'platform']) {
    if (typeof rest[field] !== 'string' || !rest[field].trim()) return {line, wrong: `${field} is missing`};
  }
  const stranger = Object.keys(rest).find((name) => !columns.includes(name));
  if (stranger !== undefined) return {line, wrong: `no field is called "${stranger}"`};
  if (new TextEncoder().encode(rest.id).length > 128) return {line, wrong: 'id is longer than 128 bytes'};
  if (rest.rolloutPercent != null && !(Number.isInteger(rest.rolloutPercent) && rest.rolloutPercent >= 0 && rest.rolloutPercent <= 100)) return {line, wrong: 'rolloutPercent must be a number from 0 to 100'};
  return {line, record: rest};
}
