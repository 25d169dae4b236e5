package recovery

import (
	"context"
	"errors"
	"io"

	hashicorp "github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
)

// replayFSM is what RecoverCluster replays snapshot and log on. That ignores what Apply returns; the first error comes
// out of Snapshot.
type replayFSM struct {
	*raft.Replayer
	ctx     context.Context // hashicorp's methods take none
	service raft.VersionServiceInterface
	view    raft.View
	records uint64
}

// Restore replaces the records by those of a snapshot.
func (f *replayFSM) Restore(stream io.ReadCloser) error {
	meta, err := raftlog.MetaOf(stream)
	if err != nil {
		return err
	}
	reader, err := snapshot.NewReader(io.NopCloser(stream)) // the stream is RecoverCluster's to close
	if err != nil {
		return err
	}
	return errors.Join(f.Load(f.ctx, model.Position{Index: meta.Index, Term: meta.Term}, reader), reader.Close())
}

// Apply applies one entry.
func (f *replayFSM) Apply(log *hashicorp.Log) any {
	f.Replayer.Apply(f.ctx, log)
	return nil
}

// Snapshot counts what was applied, and opens a view of it: a view is read once.
func (f *replayFSM) Snapshot() (hashicorp.FSMSnapshot, error) {
	err := f.Flush(f.ctx)
	if err == nil {
		f.records, err = f.count()
	}
	if err == nil {
		f.view, err = f.service.OpenViewInternal(f.ctx)
	}
	return recoveredSnapshot{f.ctx, f.view}, err
}

func (f *replayFSM) count() (uint64, error) {
	view, err := f.service.OpenViewInternal(f.ctx)
	if err != nil {
		return 0, err
	}
	records, err := countRecords(f.ctx, view)
	return records, errors.Join(err, view.Close())
}

func (f *replayFSM) close() error {
	if f.view == nil {
		return nil
	}
	return f.view.Close()
}

func countRecords(ctx context.Context, view raft.View) (count uint64, err error) {
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
	view raft.View
}

// Persist writes the records as every node reads them.
func (s recoveredSnapshot) Persist(sink hashicorp.SnapshotSink) error {
	if err := snapshot.Write(s.ctx, sink, s.view); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// Release does nothing: the view is its owner's.
func (recoveredSnapshot) Release() {}
