package raft

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/restore"
	"versiond/wire"
)

var errRestoreOpen = errors.New("a backup is being restored: no snapshot until that is over, because the log must keep it")

// decideStep notes a step, whose outcome tells its index.
func (d *decider) decideStep(e *entry) ([]model.UnitOutcome, error) {
	step, err := wire.DecodeRestoreStep(e.data)
	if err != nil {
		return nil, err
	}
	d.open = d.open.After(e.position.Index, &step)
	return outcomeOfStep(e, model.OutcomeDone), nil
}

func outcomeOfStep(e *entry, code model.OutcomeCode) []model.UnitOutcome {
	return []model.UnitOutcome{{Outcomes: []model.Outcome{{Code: code, Revision: model.Revision(e.position.Index, 0)}}}}
}

// findOpen reads back from the log which restore is open at the position of a store that is taken into use. None
// was when the newest snapshot up to there was taken.
func (d *decider) findOpen(at model.Position, snapshots raft.SnapshotStore) error {
	d.open = nil
	from, err := snapshotBefore(snapshots, at.Index)
	if err != nil {
		return err
	}
	first, err := d.logs.FirstIndex()
	if err != nil {
		return fmt.Errorf("read the bounds of the Raft log: %w", err)
	}
	for index := max(from+1, first); index <= at.Index; index++ {
		e, err := readEntry(d.logs, index)
		if errors.Is(err, raft.ErrLogNotFound) {
			continue // the log was cut off behind the snapshot
		}
		if err != nil {
			return err
		}
		if _, is := wire.IsRestoreStep(e.data); !is {
			continue
		}
		if _, err := d.decideStep(&e); err != nil {
			return err
		}
	}
	return nil
}

// snapshotBefore returns the index of the newest snapshot that covers nothing behind index, 0 when there is none.
func snapshotBefore(snapshots raft.SnapshotStore, index uint64) (uint64, error) {
	metas, err := snapshots.List()
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
		return raftlog.UnreadableEntry(e.position.Index, err)
	}
	open := a.open
	if !open.Whole(e.position.Index, &commit) {
		lost, err := backoff.Retry(ctx, func() (bool, error) { return a.beganBeforeLog(commit.Begin) },
			append(storeRetries(), backoff.WithNotify(a.tellFirst("what became of a restore cannot be read from the log and the snapshots; trying again")))...)
		if err != nil {
			return err
		}
		if lost {
			return a.restoreNewest(ctx)
		}
		a.open, a.passed = open.After(e.position.Index, &commit), nil
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

// tellFirst logs the first failure of what is tried again: it may fail once a second for as long as a disk does.
func (a *applier) tellFirst(message string) backoff.Notify {
	var once sync.Once
	return func(err error, _ time.Duration) {
		once.Do(func() { a.log.Warn(message, "err", err) })
	}
}

// loadRestore replaces all records, as often as it takes. A crash in between leaves the store marked: it is then
// built anew from the snapshot and the log of before, and comes here again.
func (a *applier) loadRestore(ctx context.Context, at model.Position, open *restore.Open) error {
	a.log.Info("loading a backup in the place of all records", "index", at.Index, "term", at.Term, "records", open.Records, "bytes", open.Bytes)
	a.suspend()
	changesFrom := uint64(0)
	if a.service.ChangesFromInternal() > 0 { // whoever watches has to begin anew: no change says what the backup made of the records
		changesFrom = model.Revision(at.Index, 0)
	}
	began := time.Now()
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := open.Load(a.logs, changesFrom, func(source restore.Source) error { return a.replaceAll(ctx, at, source) })
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
