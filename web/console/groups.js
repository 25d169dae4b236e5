// Which records are versions of one thing. IDs say it as teams write them: myapp-ios and myapp-android, myapp@1.4.0.

// groupOf returns the name that an ID shares with the others of its kind: what stands before an @ that is not its first
// sign, or else the ID without the name of its platform.
export function groupOf({id, platform}) {
  const at = id.indexOf('@', 1);
  if (at > 0) return id.slice(0, at);
  const names = platform.toLowerCase().split('/');
  return id.split(/(?=[-_.:])/).filter((part) => !names.includes(part.replace(/^[-_.:]/, '').toLowerCase())).join('') || id;
}

// matrix sorts records into groups and platforms: {platforms, rows: [{group, cells: Map of platform to records}]}.
export function matrix(records) {
  const groups = new Map();
  const count = new Map();
  for (const record of records) {
    const group = groupOf(record);
    if (!groups.has(group)) groups.set(group, new Map());
    const cells = groups.get(group);
    if (!cells.has(record.platform)) {
      cells.set(record.platform, []);
      count.set(record.platform, (count.get(record.platform) ?? 0) + 1);
    }
    cells.get(record.platform).push(record);
  }
  const platforms = [...count.keys()].sort((a, b) => count.get(b) - count.get(a) || a.localeCompare(b));
  return {platforms, rows: [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([group, cells]) => ({group, cells}))};
}
