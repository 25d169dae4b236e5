package raft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
)

var errNoHistory = errors.New("neither the Raft log nor a snapshot leads to the present; " + model.RejoinAdvice)

// verdict is what the state row of a store says when it is held against the data directory.
type verdict int

const (
	storeCurrent verdict = iota // it holds everything up to its index; the log goes on from there
	storeBehind                 // the log no longer goes back to its index: a snapshot must be loaded
	storeEmpty                  // this node has made it, and nothing was applied yet
	storeLost                   // it is not there, half restored, or of another history: build it anew
	storeForeign                // it belongs to another node or cluster: keep off
)

// reconcile finds out what the store lacks (design section 4, rule 2). It runs at the start and
// whenever the state row is not what this node left. While the store does not answer it waits.
// Nothing is served from the store until it is through.
func (a *applier) reconcile(ctx context.Context) error {
	a.suspend()
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := a.reconcileOnce(ctx)
		if errors.Is(err, model.ErrForeignStore) || errors.Is(err, errNoHistory) || errors.Is(err, model.ErrCorrupt) {
			return struct{}{}, backoff.Permanent(err)
		}
		if err != nil {
			a.storeFailed(ctx, "the store cannot be taken into use yet; trying again", err)
		}
		return struct{}{}, err
	}, storeRetries()...)
	return err
}

func (a *applier) reconcileOnce(ctx context.Context) error {
	state, err := a.service.StateInternal(ctx)
	found, why, err := a.judge(state, err)
	if err != nil {
		return err
	}
	if a.distrusted && (found == storeCurrent || found == storeEmpty) {
		found, why = storeLost, model.ErrStoreDiffers.Error()
	}
	switch found {
	case storeForeign:
		return a.foreign(state)
	case storeLost, storeBehind, storeEmpty:
		return a.build(ctx, found, why, state)
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
	return a.findOpen(state.Applied)
}

// build takes what stands there for this node's own, and builds it anew.
func (a *applier) build(ctx context.Context, found verdict, why string, state model.StoreState) error {
	tables, err := a.claim(ctx, state)
	if err != nil {
		return err
	}
	if len(tables) == 0 || found == storeEmpty {
		a.log.Info("filling the store from the snapshot and the log", "why", why)
	} else { // what it held is replaced
		a.log.Warn("building the store anew", "why", why, "storeIndex", state.Applied.Index, "tables", tables)
	}
	return a.rebuild(ctx)
}

// claim returns what stands where the tables should once it may be dropped: this data directory has made its store
// before, or the state row says that it is this node's. It is noted before the first table is made, so that a node
// that is killed between that and the state row goes on.
func (a *applier) claim(ctx context.Context, state model.StoreState) ([]string, error) {
	tables, err := a.service.TablesInternal(ctx)
	if err != nil {
		return nil, err
	}
	if len(tables) > 0 && !a.dir.Noted().StoreMade && !a.owns(state) {
		return nil, fmt.Errorf("%w: %s holds %s, and no state row that says whose; this node has made no store there. "+
			"Give this node its own database, or, if nothing in that one is needed: %s",
			model.ErrForeignStore, a.store, strings.Join(tables, ", "), a.discardStore)
	}
	return tables, a.dir.NoteStoreMade()
}

// owns reports whether what can be read of a state row is of this node.
func (a *applier) owns(state model.StoreState) bool {
	ours := a.dir.Identity()
	return state.ProvenAs(ours) || state.Node == ours.Node && (state.Cluster == ours.Cluster || slices.Contains(a.dir.Former(), state.Cluster))
}

// judgeUnlike judges a store that no node has left like that, storeCurrent when nothing speaks against it. One
// that is somebody else's, by what is left of its state row, is kept off; a row of this node's own that was given
// another identity is not.
func (a *applier) judgeUnlike(state model.StoreState, cause error) (verdict, string) {
	ours := a.dir.Identity()
	stranger := state.Cluster != "" && state.Cluster != ours.Cluster && !slices.Contains(a.dir.Former(), state.Cluster) || state.Node != "" && state.Node != ours.Node
	switch {
	case errors.Is(cause, model.ErrNoState):
		return storeLost, "it holds no state"
	case !errors.Is(cause, model.ErrStoreDiffers):
		return storeCurrent, ""
	case stranger && !state.ProvenAs(ours):
		return storeForeign, ""
	}
	return storeLost, cause.Error()
}

// judge holds what StateInternal gave against the data directory's identity and the log.
func (a *applier) judge(state model.StoreState, cause error) (verdict, string, error) {
	if found, why := a.judgeUnlike(state, cause); found != storeCurrent {
		return found, why, nil
	}
	if cause != nil {
		return 0, "", cause
	}
	ours := a.dir.Identity()
	switch {
	case state.Node == ours.Node && slices.Contains(a.dir.Former(), state.Cluster):
		return storeLost, "it is of cluster " + state.Cluster + ", which this one was recovered from", nil
	case state.Cluster != ours.Cluster || state.Node != ours.Node:
		return storeForeign, "", nil
	case state.Store != ours.Store:
		return storeLost, "it belongs to another data directory of this node", nil
	case state.Restoring:
		return storeLost, "loading a snapshot into it was broken off", nil
	case state.Applied.Index == 0:
		return storeEmpty, "it is empty", nil
	}
	return a.judgePosition(state.Applied)
}

func (a *applier) judgePosition(at model.Position) (verdict, string, error) {
	h, err := raftlog.ReadHistory(a.logs, a.fsm.stores.Snapshots)
	if err != nil {
		return 0, "", err
	}
	term, known, err := h.TermAt(at.Index)
	switch {
	case err != nil:
		return 0, "", err
	case at.Index > h.Last:
		return storeLost, fmt.Sprintf("it is at index %d and the Raft log ends at %d", at.Index, h.Last), nil
	case known && term != at.Term:
		return storeLost, fmt.Sprintf("it has term %d at index %d and the Raft log %d", at.Term, at.Index, term), nil
	case !h.ContinuesAfter(at.Index):
		return storeBehind, fmt.Sprintf("it is at index %d and the Raft log begins at %d", at.Index, h.First), nil
	}
	return a.judgeSnapshot(h, at)
}

// judgeSnapshot looks whether the log may be read from at on, where a snapshot covers more.
func (a *applier) judgeSnapshot(h raftlog.History, at model.Position) (verdict, string, error) {
	if h.Snapshot == nil || h.Snapshot.Index <= at.Index {
		return storeCurrent, "", nil
	}
	leads, err := h.LeadsToSnapshot(at.Index)
	if err != nil || leads {
		return storeCurrent, "", err
	}
	return storeBehind, fmt.Sprintf("it is at index %d, and what the Raft log holds behind that is not what the snapshot of index %d was made of", at.Index, h.Snapshot.Index), nil
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
func (emptySource) NextRecord() (model.Version, error)          { return model.Version{}, io.EOF }

// restoreNewest loads the newest snapshot in place of log entries that are not to be had.
func (a *applier) restoreNewest(ctx context.Context) error {
	a.suspend()
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		meta, err := raftlog.NewestSnapshot(a.fsm.stores.Snapshots)
		if err == nil && meta.Index <= a.applied.Index {
			err = fmt.Errorf("%w: nothing leads on from index %d, the newest snapshot is at %d", errNoHistory, a.applied.Index, meta.Index)
		}
		if errors.Is(err, raftlog.ErrNoSnapshot) || errors.Is(err, errNoHistory) || errors.Is(err, model.ErrCorrupt) {
			return struct{}{}, backoff.Permanent(err)
		}
		if err == nil {
			err = a.restore(ctx, meta)
		}
		if err != nil {
			a.storeFailed(ctx, "loading a snapshot failed; trying again", err)
		}
		return struct{}{}, err
	}, storeRetries()...)
	return err
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

// damagedSnapshot says what to do about a snapshot that the store needs and that cannot be read.
func damagedSnapshot(err error) error {
	if !errors.Is(err, model.ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w; the store needs this snapshot, and the log does not go back far enough; %s", err, model.RejoinAdvice)
}

// replaceAll puts the records of a source, which it closes, in the place of all records, and takes the store into
// use as it is then.
func (a *applier) replaceAll(ctx context.Context, at model.Position, source closingSource) error {
	err := a.service.RestoreInternal(ctx, a.dir.Identity(), at, source)
	if err = errors.Join(err, source.Close()); err != nil {
		return err
	}
	return a.load(ctx, at)
}

// closingSource is a Source that has to be closed.
type closingSource interface {
	Source
	Close() error
}
