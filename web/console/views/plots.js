// How much this node does, and how fast, from /metrics.

import {getText, repeat} from '../api.js';
import {h} from '../dom.js';
import {t} from '../i18n.js';
import {read, sum} from '../metrics.js';
import {plot} from '../plot.js';

const interval = 2500;
const patience = 10000;
const silence = 30000; // after which another node is drawn: a proxy asks now this one, now that one

const kept = {writes: [], reads: [], took: [], lag: []};
let before = null; // what the node that is drawn had counted last

export function plots(signal) {
  const writes = plot(t('Writes'), t('a second'), kept.writes);
  const reads = plot(t('Reads'), t('a second'), kept.reads);
  const took = plot(t('A write takes'), t('ms'), kept.took);
  const lag = plot(t('Behind'), t('entries'), kept.lag);
  repeat(interval, signal, async () => {
    const samples = read(await getText(['metrics'], {signal, within: patience}));
    const now = {
      node: samples.find(({labels}) => labels.node)?.labels.node,
      at: performance.now(),
      writes: sum(samples, 'versiond_writes_total'),
      reads: sum(samples, 'versiond_http_requests_total', {port: 'public', method: 'GET', route: /^\/version/}),
      spent: sum(samples, 'versiond_write_duration_seconds_sum'),
      spentOn: sum(samples, 'versiond_write_duration_seconds_count'),
    };
    if (before && before.node !== now.node) {
      if (now.at - before.at < silence) return;
      for (const values of Object.values(kept)) values.length = 0;
      before = null;
    }
    const seconds = before && (now.at - before.at) / 1000;
    if (before && now.writes >= before.writes && now.reads >= before.reads) { // else the node was started anew
      writes.add((now.writes - before.writes) / seconds);
      reads.add((now.reads - before.reads) / seconds);
      took.add(now.spentOn > before.spentOn ? 1000 * (now.spent - before.spent) / (now.spentOn - before.spentOn) : null);
    }
    lag.add(sum(samples, 'versiond_applier_lag_entries'));
    before = now;
  });
  return h('div.plots', {}, writes.el, reads.el, took.el, lag.el);
}
