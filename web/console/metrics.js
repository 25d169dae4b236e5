// What a node measures, in the form of Prometheus.

// read returns the samples: {name, labels, value}.
export function read(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:]\w*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) continue;
    const labels = Object.fromEntries([...(found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v]) => [k, v]));
    samples.push({name: found[1], labels, value: Number(found[3])});
  }
  return samples;
}

// sum adds up the samples of a name whose labels have these values.
export function sum(samples, name, labels = {}) {
  return samples.filter((s) => s.name === name && Object.entries(labels).every(([k, v]) => (v instanceof RegExp ? v.test(s.labels[k]) : s.labels[k] === v))).reduce((n, s) => n + s.value, 0);
}
