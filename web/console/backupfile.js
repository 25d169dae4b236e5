// What a backup says of itself, and whether it is whole: a first line, a line of JSON, the records, and a SHA-256 of all before it.

const first = 'versiond backup 1';
const headMost = 4096;
const sumBytes = 32;
const checkedMost = 256 * 1000 * 1000; // what is read into memory for its checksum

// inspect returns {cluster, index, time, whole}; whole is undefined where it could not be checked here. It is null when the
// file is no backup.
export async function inspect(file) {
  const [line, json] = (await file.slice(0, headMost).text()).split('\n');
  if (line !== first) return null;
  let head;
  try {
    head = JSON.parse(json);
  } catch {
    return null;
  }
  return {...head, whole: await whole(file)};
}

// whole checks the checksum. Only pages that came safely may compute one; the node checks it all the same.
async function whole(file) {
  if (!globalThis.crypto?.subtle || file.size > checkedMost) return undefined;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.subarray(0, -sumBytes)));
  return sum.every((b, i) => b === bytes[bytes.length - sumBytes + i]);
}
