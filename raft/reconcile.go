package raft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/judge"
	"versiond/raft/raftlog"
	"versiond/raft/restore"
)

var errNoHistory = errors.New("neither the Raft log nor a snapshot leads to the present; " + model.RejoinAdvice)

// reconcile finds out what the store lacks (docs/design.md, "Exactly once"). It runs at the start and
// whenever the state row is not what this node left. While the store does not answer it waits.
// Nothing is served from the store until it is through.
func (a *applier) reconcile(ctx context.Context) error {
	a.suspend()
	return a.persist(ctx, "the store cannot be taken into use yet; trying again", func() error {
		return a.reconcileOnce(ctx)
	}, model.ErrForeignStore, errNoHistory, model.ErrCorrupt)
}

func (a *applier) reconcileOnce(ctx context.Context) error {
	c, err := a.newCase(a.service.StateInternal(ctx))
	if err != nil {
		return err
	}
	found, why, err := c.Judge()
	if err != nil {
		return err
	}
	if a.distrusted && (found == judge.Current || found == judge.Empty) {
		found, why = judge.Lost, model.ErrStoreDiffers.Error()
	}
	state := c.State
	switch found {
	case judge.Foreign:
		return a.foreign(state)
	case judge.Lost, judge.Behind, judge.Empty:
		return a.build(ctx, found, why, c)
	}
	if err := a.dir.NoteStoreMade(); err != nil {
		return err
	}
	err = a.load(ctx, state.Applied)
	if errors.Is(err, model.ErrStoreDiffers) {
		a.log.Error("building the store anew", "why", err, "storeIndex", state.Applied.Index)
		return a.rebuild(ctx)
	}
	if err != nil {
		return err
	}
	return a.findOpen(state.Applied, a.fsm.stores.Snapshots)
}

// newCase returns what StateInternal gave beside what the data directory knows.
func (a *applier) newCase(state model.StoreState, cause error) (judge.Case, error) {
	history, err := raftlog.ReadHistory(a.logs, a.fsm.stores.Snapshots)
	return judge.Case{State: state, Cause: cause, Ours: a.dir.Identity(), Former: a.dir.Former(), History: history}, err
}

// build takes what stands there for this node's own, and builds it anew.
func (a *applier) build(ctx context.Context, found judge.Verdict, why string, c judge.Case) error {
	tables, err := a.claim(ctx, c)
	if err != nil {
		return err
	}
	if len(tables) == 0 || found == judge.Empty {
		a.log.Info("filling the store from the snapshot and the log", "why", why)
	} else { // what it held is replaced
		a.log.Warn("building the store anew", "why", why, "storeIndex", c.State.Applied.Index, "tables", tables)
	}
	return a.rebuild(ctx)
}

// claim returns what stands where the tables should once it may be dropped: this data directory has made its store
// before, or the state row says that it is this node's. It is noted before the first table is made, so that a node
// that is killed between that and the state row goes on.
func (a *applier) claim(ctx context.Context, c judge.Case) ([]string, error) {
	tables, err := a.service.TablesInternal(ctx)
	if err != nil {
		return nil, err
	}
	if len(tables) > 0 && !a.dir.Noted().StoreMade && !c.Owned() {
		return nil, fmt.Errorf("%w: %s holds %s, and no state row that says whose; this node has made no store there. "+
			"Give this node its own database, or, if nothing in that one is needed: %s",
			model.ErrForeignStore, a.store, strings.Join(tables, ", "), a.discardStore)
	}
	return tables, a.dir.NoteStoreMade()
}

func (a *applier) foreign(state model.StoreState) error {
	ours := a.dir.Identity()
	return fmt.Errorf("%w: the database is that of node %q of cluster %s, this is node %q of cluster %s; "+
		"give this node its own database, or, if the records there are not needed: %s",
		model.ErrForeignStore, state.Node, state.Cluster, ours.Node, ours.Cluster, a.discardStore)
}

// load takes the store into use as it is. No restore is open there unless findOpen finds one.
func (a *applier) load(ctx context.Context, at model.Position) error {
	if err := a.service.LoadInternal(ctx, a.dir.Identity().Cluster); err != nil {
		return err
	}
	// A database that was restarted between the two looks may have lost what the first one saw.
	if err := a.verifyAt(ctx, at); err != nil {
		return err
	}
	a.stored, a.loaded, a.open = at, true, nil
	a.fsm.lastCommand.Store(at.Index)
	a.advance(at)
	a.log.Info("the store is loaded; the log goes on from there", "index", at.Index, "term", at.Term)
	return nil
}

// rebuild loads the newest snapshot, or begins empty when the log still goes back to its start.
func (a *applier) rebuild(ctx context.Context) error {
	h, err := raftlog.ReadHistory(a.logs, a.fsm.stores.Snapshots)
	if err != nil {
		return err
	}
	if h.Snapshot != nil {
		return a.restore(ctx, h.Snapshot)
	}
	if !h.ContinuesAfter(0) {
		return fmt.Errorf("%w: the Raft log begins at %d", errNoHistory, h.First)
	}
	if err := a.service.RestoreInternal(ctx, a.dir.Identity(), model.Position{}, emptySource{}); err != nil {
		return err
	}
	return a.load(ctx, model.Position{})
}

// emptySource is a snapshot of nothing.
type emptySource struct{}

func (emptySource) NextDedupRecord() (model.DedupRecord, error) { return model.DedupRecord{}, io.EOF }
func (emptySource) ChangesFrom() (uint64, error)                { return 0, nil }
func (emptySource) NextChange() (model.Change, error)           { return model.Change{}, io.EOF }
func (emptySource) NextRecord() (model.Version, error)          { return model.Version{}, io.EOF }

// restoreNewest loads the newest snapshot in place of log entries that are not to be had.
func (a *applier) restoreNewest(ctx context.Context) error {
	a.suspend()
	return a.persist(ctx, "loading a snapshot failed; trying again", func() error {
		meta, err := raftlog.NewestSnapshot(a.fsm.stores.Snapshots)
		if err != nil {
			return err
		}
		if meta.Index <= a.applied.Index {
			return fmt.Errorf("%w: nothing leads on from index %d, the newest snapshot is at %d", errNoHistory, a.applied.Index, meta.Index)
		}
		return a.restore(ctx, meta)
	}, raftlog.ErrNoSnapshot, errNoHistory, model.ErrCorrupt)
}

func (a *applier) restore(ctx context.Context, meta *raft.SnapshotMeta) error {
	began := time.Now()
	err := a.restoreOnce(ctx, meta)
	a.fsm.observer.SnapshotRestored(meta.Size, time.Since(began), err)
	return err
}

func (a *applier) restoreOnce(ctx context.Context, meta *raft.SnapshotMeta) error {
	at := model.Position{Index: meta.Index, Term: meta.Term}
	a.log.Info("loading a snapshot", "index", at.Index, "term", at.Term, "bytes", meta.Size)
	reader, err := raftlog.OpenSnapshot(a.fsm.stores.Snapshots, meta.ID)
	if err != nil {
		return damagedSnapshot(err)
	}
	return damagedSnapshot(a.replaceAll(ctx, at, reader))
}

// damagedSnapshot returns an error that says what to do about a snapshot that the store needs and that cannot be read.
func damagedSnapshot(err error) error {
	if !errors.Is(err, model.ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w; the store needs this snapshot; start the node again, which tries the one before it and the log; if it ends with this again: %s", err, model.RejoinAdvice)
}

// replaceAll puts the records of a source, which it closes, in the place of all records, and takes the store into
// use as it is then.
func (a *applier) replaceAll(ctx context.Context, at model.Position, source restore.Source) error {
	err := a.service.RestoreInternal(ctx, a.dir.Identity(), at, source)
	if err = errors.Join(err, source.Close()); err != nil {
		return err
	}
	return a.load(ctx, at)
}
