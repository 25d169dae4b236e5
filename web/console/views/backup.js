// Everything into a file, and back.

import {Problem, getText, send, upload} from '../api.js';
import {inspect} from '../backupfile.js';
import {confirm} from '../dialog.js';
import {h, fill} from '../dom.js';
import {t, tn, bytes, number, time} from '../i18n.js';
import {read, sum} from '../metrics.js';
import {save} from '../save.js';
import {may} from '../session.js';
import {refusal} from '../states.js';

export function backup(root, signal) {
  root.append(h('div.head', {}, h('h1', {}, t('Backup')), !may('admin') && h('span.badge.calm', {'data-key': 'read-only'}, t('A token of the role admin is needed'))),
    h('div.cards', {}, download(signal), restore(signal)));
}

function download(signal) {
  const said = h('div', {role: 'status'});
  const go = h('button.primary', {type: 'button', 'data-key': 'backup-go', disabled: !may('admin'), onclick: run}, t('Download a backup'));
  async function run() {
    go.disabled = true;
    const bar = h('progress', {'aria-label': t('Download a backup')});
    try {
      const answer = await send('GET', ['backup'], {signal});
      const parts = [];
      let size = 0;
      for await (const part of stream(answer.body)) {
        parts.push(part);
        size += part.length;
        fill(said, bar, h('p', {}, bytes(size)));
      }
      const index = answer.headers.get('X-Versiond-Index');
      save(new Blob(parts), `versiond-${index}.backup`);
      fill(said, h('p', {}, t('{size}, as of log index {index}.', {size: bytes(size), index: number(index)})));
    } catch (err) {
      if (!signal.aborted) fill(said, refusal(broken(err)));
    } finally {
      go.disabled = false;
    }
  }
  return h('section.card', {}, h('h2', {}, t('Back up')), h('p.muted', {}, t('All records as of one moment, with their revisions, in one file. Writes go on meanwhile.')), go, said);
}

async function* stream(body) {
  for (const reader = body.getReader(); ;) {
    const {done, value} = await reader.read();
    if (done) return;
    yield value;
  }
}

// broken is a download that ended in the middle: fetch says that in words of its own.
const broken = (err) => (err instanceof Problem ? err : new Problem({code: 'unreachable', detail: t('It broke off: what came of it is of no use.')}));

function restore(signal) {
  const said = h('div', {role: 'status'});
  const file = h('input', {type: 'file', 'data-key': 'restore-file', disabled: !may('admin'), onchange: look});
  let latest = 0;
  async function look() {
    const turn = ++latest;
    if (!file.files.length) return fill(said);
    const [chosen] = file.files;
    fill(said, h('progress'));
    const about = await inspect(chosen);
    if (turn !== latest) return undefined; // another file was chosen meanwhile
    if (!about) return fill(said, bad(t('This is no backup of versiond.')));
    if (about.whole === false) return fill(said, bad(t('This backup is damaged or was cut off: its checksum is not right.')));
    const wrong = h('div');
    const go = h('button.danger', {type: 'button', 'data-key': 'restore-go', onclick: async () => {
      go.disabled = true;
      await ask(chosen, about).catch((err) => signal.aborted || fill(wrong, refusal(err)));
      go.disabled = false;
    }}, t('Restore…'));
    return fill(said, facts(chosen, about), go, wrong);
  }
  async function ask(chosen, about) {
    const records = sum(read(await getText(['metrics'], {signal})), 'versiond_records');
    const foreign = h('input', {type: 'checkbox', 'data-key': 'restore-foreign'});
    const bar = h('progress', {max: 1, value: 0, hidden: true, 'aria-label': t('Restore')});
    const other = h('label.row', {hidden: true}, foreign, t('It is of another cluster, and is wanted all the same: its records get new revisions.'));
    confirm({
      title: t('Restore this backup?'), word: 'restore', name: t('Restore'), signal,
      body: [h('p', {}, tn(records, 'The {n} record of this cluster is taken away, on every node, and what is in the file takes its place.', 'The {n} records of this cluster are taken away, on every node, and what is in the file takes their place.')),
        h('p', {}, t('Lost is everything that was written after {time} (log index {index}).', {time: time(about.time), index: number(about.index)})),
        h('p.muted', {}, t('Who may want it back downloads a backup first.')), other, bar],
      act: async (open) => {
        bar.hidden = false;
        const restored = await upload(['restore'], chosen, {query: {foreign: foreign.checked || ''}, signal: open, progress: (part) => { bar.value = part; }});
        fill(said, h('p.done', {}, tn(restored.records, 'Restored: there is {n} record now.', 'Restored: there are {n} records now.')));
        file.value = '';
      },
      say: (err) => {
        bar.hidden = true;
        if (err.errors?.some((e) => e.field === 'foreign')) other.hidden = false;
        return refusal(err);
      },
    });
  }
  return h('section.card', {}, h('h2', {}, t('Restore')), h('p.muted', {}, t('The file is checked first, here and by the node. Then its records take the place of all records.')),
    h('label.field', {}, h('span', {}, t('Backup')), file), said);
}

const bad = (words) => h('div.refusal', {role: 'alert'}, h('strong', {}, words));

const facts = (file, about) => h('dl.facts', {},
  h('dt', {}, t('Made')), h('dd', {}, time(about.time)), h('dt', {}, t('Log index')), h('dd', {}, number(about.index)),
  h('dt', {}, t('Cluster')), h('dd.mono', {}, about.cluster), h('dt', {}, t('Size')), h('dd', {}, bytes(file.size)),
  h('dt', {}, t('Checksum')), h('dd', {}, about.whole ? t('right: it is whole') : t('the node checks it')));
