package raft

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// throwawayFSM is what raft.RecoverCluster is given: it applies a snapshot and log entries to a store
// made for the occasion, at once, by the code that decides outcomes on a running node. RecoverCluster
// ignores what Apply returns, so the first error is kept and comes out of Snapshot.
type throwawayFSM struct {
	ctx      context.Context // hashicorp's methods take none
	applier  *applier
	identity model.Identity // of the throwaway store alone
	waiting  []entry
	bytes    int
	view     View
	records  uint64
	err      error
}

func newThrowawayFSM(ctx context.Context, service VersionServiceInterface, logs raft.LogStore, node string, log *slog.Logger) (*throwawayFSM, error) {
	f := &throwawayFSM{
		ctx: ctx, identity: model.Identity{Cluster: "throwaway", Node: node, Store: "throwaway"},
		applier: &applier{fsm: newVersionFSM(service, nil, unobserved{}, newEnding()), service: service, logs: logs, log: log},
	}
	return f, f.load(model.Position{}, emptySource{})
}

func (f *throwawayFSM) load(at model.Position, source Source) error {
	f.applier.stored = at
	if err := f.applier.service.RestoreInternal(f.ctx, f.identity, at, source); err != nil {
		return err
	}
	return f.applier.service.LoadInternal(f.ctx, f.identity.Cluster)
}

// Restore replaces the records by those of a snapshot.
func (f *throwawayFSM) Restore(stream io.ReadCloser) error {
	meta, err := raftlog.MetaOf(stream)
	if err != nil {
		return err
	}
	reader, err := snapshot.NewReader(io.NopCloser(stream)) // the stream is RecoverCluster's to close
	if err != nil {
		return err
	}
	return errors.Join(f.load(model.Position{Index: meta.Index, Term: meta.Term}, reader), reader.Close())
}

// Apply applies one entry, together with those that follow.
func (f *throwawayFSM) Apply(log *raft.Log) any {
	e := entry{position: model.Position{Index: log.Index, Term: log.Term}, data: log.Data}
	if len(beforeCommit([]entry{e})) == 0 {
		f.commitRestore(&e)
		return nil
	}
	f.waiting = append(f.waiting, e)
	f.bytes += len(log.Data)
	if len(f.waiting) == applyEntriesMax || f.bytes >= applyBytesMax {
		f.flush()
	}
	return nil
}

func (f *throwawayFSM) flush() {
	if f.err == nil && len(f.waiting) > 0 {
		f.err = f.applyWaiting()
	}
	f.waiting, f.bytes = f.waiting[:0], 0
}

// commitRestore loads a backup from the log, as every node does.
func (f *throwawayFSM) commitRestore(e *entry) {
	f.flush()
	if f.err == nil {
		f.err = f.loadCommitted(e)
	}
}

func (f *throwawayFSM) loadCommitted(e *entry) error {
	commit, err := wire.DecodeRestoreStep(e.data)
	if err != nil {
		return unreadableEntry(e, err)
	}
	open := f.applier.open
	f.applier.open = open.after(e.position.Index, &commit)
	if !open.whole(e.position.Index, &commit) {
		return nil
	}
	chunks := &chunkReader{applier: f.applier, left: open.chunks}
	source, err := open.source(chunks)
	if err == nil {
		err = errors.Join(f.load(e.position, source), source.Close())
	}
	if chunks.err != nil {
		return chunks.err // rather than that what it gave has no end
	}
	return err
}

func (f *throwawayFSM) applyWaiting() error {
	_, commands, err := f.applier.decide(f.waiting)
	if err != nil || commands == 0 {
		return err
	}
	last := f.waiting[len(f.waiting)-1].position
	if err := f.applier.service.CommitInternal(f.ctx, f.identity.Store, f.applier.stored, last); err != nil {
		return err
	}
	f.applier.stored = last
	f.applier.service.PublishInternal()
	return nil
}

// Snapshot counts what was applied, and opens a view of it: a view is read once.
func (f *throwawayFSM) Snapshot() (raft.FSMSnapshot, error) {
	f.flush()
	if f.err == nil {
		f.records, f.err = f.count()
	}
	if f.err == nil {
		f.view, f.err = f.applier.service.OpenViewInternal(f.ctx)
	}
	return recoveredSnapshot{f.ctx, f.view}, f.err
}

func (f *throwawayFSM) count() (uint64, error) {
	view, err := f.applier.service.OpenViewInternal(f.ctx)
	if err != nil {
		return 0, err
	}
	records, err := countRecords(f.ctx, view)
	return records, errors.Join(err, view.Close())
}

func (f *throwawayFSM) close() error {
	if f.view == nil {
		return nil
	}
	return f.view.Close()
}

func countRecords(ctx context.Context, view View) (count uint64, err error) {
	for after := ""; ; {
		page, err := view.Page(ctx, after, snapshot.PageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		count += uint64(len(page))
		after = page[len(page)-1].ID
	}
}

// recoveredSnapshot writes a view that its owner closes.
type recoveredSnapshot struct {
	ctx  context.Context
	view View
}

// Persist writes the records as every node reads them.
func (s recoveredSnapshot) Persist(sink raft.SnapshotSink) error {
	if err := snapshot.Write(s.ctx, sink, s.view); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// Release does nothing: the view is its owner's.
func (recoveredSnapshot) Release() {}
