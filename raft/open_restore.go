package raft

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// restoreLapses is after how many entries without a step of it a restore that has begun counts no more: its leader
// is gone. Like all that follows from the log it is the same on every node.
const restoreLapses = 10000

var errRestoreOpen = errors.New("a backup is being restored: no snapshot until that is over, because the log must keep it")

// openRestore is a restore of which the log holds a part. It follows from the log alone: it begins with an entry,
// its parts are counted and summed as they are applied, and it ends with an entry that commits it or gives it
// up, with another that begins, or after restoreLapses entries without a step of it. Nothing of it is stored,
// because no snapshot is taken while it is open: a node that starts reads it back from its log.
type openRestore struct {
	model.RestoreStep        // the one that began it
	begin             uint64 // the index of that
	last              uint64 // of its newest step
	chunks            []uint64
	bytes             uint64
	sum               uint32
}

// at returns the restore that is open at an index, nil when it is over by then.
func (o *openRestore) at(index uint64) *openRestore {
	if o == nil || index > o.last+restoreLapses {
		return nil
	}
	return o
}

// after returns the restore that is open after a step at an index.
func (o *openRestore) after(index uint64, step *model.RestoreStep) *openRestore {
	if step.Type == model.CommandRestoreBegin {
		return &openRestore{RestoreStep: *step, begin: index, last: index}
	}
	if o = o.at(index); o == nil || o.begin != step.Begin {
		return o
	}
	if step.Type != model.CommandRestoreChunk {
		return nil
	}
	o.last, o.chunks = index, append(o.chunks, index)
	o.bytes, o.sum = o.bytes+uint64(len(step.Data)), crc32.Update(o.sum, snapshot.Castagnoli, step.Data)
	return o
}

// whole reports whether a commit at index is of this restore, and everything of it is there.
func (o *openRestore) whole(index uint64, commit *model.RestoreStep) bool {
	o = o.at(index)
	return o != nil && o.begin == commit.Begin && o.bytes == o.Bytes && o.sum == o.Checksum &&
		(!o.Foreign || int64(len(o.chunks)) >= entriesFor(o.Records))
}

// decideStep notes a step, whose outcome tells its index.
func (d *decider) decideStep(e *entry) ([]model.UnitOutcome, error) {
	step, err := wire.DecodeRestoreStep(e.data)
	if err != nil {
		return nil, err
	}
	d.open = d.open.after(e.position.Index, &step)
	return outcomeOfStep(e, model.OutcomeDone), nil
}

func outcomeOfStep(e *entry, code model.OutcomeCode) []model.UnitOutcome {
	return []model.UnitOutcome{{Outcomes: []model.Outcome{{Code: code, Revision: model.Revision(e.position.Index, 0)}}}}
}

// findOpen reads back from the log which restore is open at the position of a store that is taken into use. None
// was when the newest snapshot up to there was taken.
func (a *applier) findOpen(at model.Position) error {
	a.open = nil
	from, err := a.snapshotBefore(at.Index)
	if err != nil {
		return err
	}
	first, err := a.logs.FirstIndex()
	if err != nil {
		return fmt.Errorf("read the bounds of the Raft log: %w", err)
	}
	for index := max(from+1, first); index <= at.Index; index++ {
		e, err := readEntry(a.logs, index)
		if errors.Is(err, raft.ErrLogNotFound) {
			continue // the log was cut off behind the snapshot
		}
		if err != nil {
			return err
		}
		if _, is := wire.IsRestoreStep(e.data); !is {
			continue
		}
		if _, err := a.decideStep(&e); err != nil {
			return err
		}
	}
	return nil
}

// snapshotBefore returns the index of the newest snapshot that covers nothing behind index, 0 when there is none.
func (a *applier) snapshotBefore(index uint64) (uint64, error) {
	metas, err := a.fsm.stores.Snapshots.List()
	if err != nil {
		return 0, fmt.Errorf("list the snapshots: %w", err)
	}
	for _, meta := range metas { // the newest one first
		if meta.Index <= index {
			return meta.Index, nil
		}
	}
	return 0, nil
}

// beforeCommit returns the entries in front of the first one that commits a restore, which is applied alone.
func beforeCommit(entries []entry) []entry {
	for i := range entries {
		if step, is := wire.IsRestoreStep(entries[i].data); is && step == model.CommandRestoreCommit {
			return entries[:i]
		}
	}
	return entries
}

// applyCommit loads the records of a restore that is committed, or passes it by when it is over or not whole.
func (a *applier) applyCommit(ctx context.Context, e *entry) error {
	commit, err := wire.DecodeRestoreStep(e.data)
	if err != nil {
		return unreadableEntry(e, err)
	}
	open := a.open
	if !open.whole(e.position.Index, &commit) {
		lost, err := backoff.Retry(ctx, func() (bool, error) { return a.beganBeforeLog(commit.Begin) }, storeRetries()...)
		if err != nil {
			return err
		}
		if lost {
			return a.restoreNewest(ctx)
		}
		a.open, a.passed = open.after(e.position.Index, &commit), nil
		a.advance(e.position)
		e.handle.resolve(result{outcomes: outcomeOfStep(e, model.OutcomeNotDone)})
		return nil
	}
	err = a.loadRestore(ctx, e.position, open)
	if errors.Is(err, raft.ErrLogNotFound) { // a snapshot was installed meanwhile, and the log is cut off
		return a.restoreNewest(ctx)
	}
	if err == nil {
		e.handle.resolve(result{outcomes: outcomeOfStep(e, model.OutcomeDone)})
	}
	return err
}

// beganBeforeLog reports whether only a snapshot can tell what became of a restore: the store went back to a place in
// the middle of it, and the log does not go back to its beginning.
func (a *applier) beganBeforeLog(begin uint64) (bool, error) {
	h, err := raftlog.ReadHistory(a.logs, a.fsm.stores.Snapshots)
	return err == nil && h.First > begin && h.Snapshot != nil && h.Snapshot.Index > a.applied.Index, err
}

// loadRestore replaces all records, as often as it takes. A crash in between leaves the store marked: it is then
// built anew from the snapshot and the log of before, and comes here again.
func (a *applier) loadRestore(ctx context.Context, at model.Position, open *openRestore) error {
	a.log.Info("loading a backup in the place of all records", "index", at.Index, "term", at.Term, "records", open.Records, "bytes", open.Bytes)
	a.suspend()
	began := time.Now()
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := a.loadRestoreOnce(ctx, at, open)
		if errors.Is(err, model.ErrCorrupt) || errors.Is(err, raft.ErrLogNotFound) {
			return struct{}{}, backoff.Permanent(err)
		}
		if err != nil && !errors.Is(err, raftlog.ErrReopening) {
			a.storeFailed(ctx, "loading a backup failed; trying again", err)
		}
		return struct{}{}, err
	}, storeRetries()...)
	a.fsm.observer.SnapshotRestored(int64(open.Bytes), time.Since(began), err)
	return err
}

func (a *applier) loadRestoreOnce(ctx context.Context, at model.Position, open *openRestore) error {
	return open.load(a.logs, func(source closingSource) error { return a.replaceAll(ctx, at, source) })
}

// load hands the records, as they are to be stored, to whom they replace all others.
func (o *openRestore) load(logs raft.LogStore, replaceAll func(closingSource) error) error {
	chunks := &chunkReader{logs: logs, left: o.chunks}
	source, err := o.source(chunks)
	if err == nil {
		err = replaceAll(source)
	}
	if chunks.err != nil {
		return chunks.err // rather than that what it gave has no end
	}
	return err
}

// chunkReader reads the parts of a restore from the log, one after the other.
type chunkReader struct {
	logs raft.LogStore
	left []uint64 // the indexes of those that were not read
	rest []byte   // of the one that is being read
	err  error
}

// Read reads on.
func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if len(r.left) == 0 {
			return 0, io.EOF
		}
		if r.err = r.next(); r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *chunkReader) next() error {
	e, err := readEntry(r.logs, r.left[0])
	if err != nil {
		return err
	}
	step, err := wire.DecodeRestoreStep(e.data)
	if err != nil {
		return unreadableEntry(&e, err)
	}
	r.rest, r.left = step.Data, r.left[1:]
	return nil
}

// source returns the records of a restore as they are to be stored.
func (o *openRestore) source(chunks io.Reader) (closingSource, error) {
	reader, err := snapshot.NewReader(io.NopCloser(chunks))
	if err != nil || !o.Foreign {
		return reader, err
	}
	return &foreignRecords{Reader: reader, chunks: o.chunks}, nil
}

// foreignRecords gives records revisions that this cluster has never given to anything: those of the entries that
// held them.
type foreignRecords struct {
	*snapshot.Reader
	chunks []uint64
	given  int
}

// NextDedupRecord gives none. What is remembered under a key has revisions too, which mean nothing here, and most
// of them are of records that are no more.
func (f *foreignRecords) NextDedupRecord() (model.DedupRecord, error) {
	return model.DedupRecord{}, io.EOF
}

// NextRecord returns the next record.
func (f *foreignRecords) NextRecord() (model.Version, error) {
	v, err := f.Reader.NextRecord()
	if err != nil {
		return v, err
	}
	chunk := f.given / model.CommandsPerEntryMax
	if chunk >= len(f.chunks) {
		return v, fmt.Errorf("%w: the backup holds more records than it says", model.ErrCorrupt)
	}
	v.Revision = model.Revision(f.chunks[chunk], f.given%model.CommandsPerEntryMax)
	f.given++
	return v, nil
}
