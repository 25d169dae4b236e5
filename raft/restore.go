package raft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// Restore puts the records of a backup in the place of all records, on every node, and gives the log
// index from which on they are; this node has applied it by then. Leader only. Of another cluster's
// backup it takes the records only if foreign is set.
//
// Records of this cluster keep their revisions. All others get new ones: the same revision may have
// been another content here, and somebody's If-Match or a cache may still know it.
//
// Errors: model.ErrNotLeader, ErrTimeout, *model.ValidationError, and ErrTooManyRequests while the one
// before is not committed, after which nothing was changed, and model.ErrOutcomeUnknown. The backup is the
// caller's to close, also after an error.
func (n *Node) Restore(ctx context.Context, b *Backup, foreign bool) (uint64, error) {
	running := n.current()
	if running == nil || !n.leads(running) {
		return 0, model.ErrNotLeader
	}
	if ours := n.Identity().Cluster; b.Header.Cluster != ours && !foreign {
		return 0, &model.ValidationError{Fields: []model.FieldError{{Field: "foreign", Detail: fmt.Sprintf(
			"must be true to restore a backup of another cluster: this is cluster %s, the backup is of %s", ours, b.Header.Cluster)}}}
	}
	// A second one would push out the last snapshot from before the first.
	if n.fsm.queue.undecidedIndex() > running.raft.CommitIndex() {
		return 0, fmt.Errorf("%w: whether the cluster has the backup that was restored before is not known yet", model.ErrTooManyRequests)
	}
	// A leader that was replaced must not begin, and a change of the members must not be under way.
	if _, err := running.reads.readIndex(ctx); err != nil {
		return 0, err
	}
	index, err := n.restoreAside(ctx, running.raft, b)
	if err != nil {
		return 0, err
	}
	if err := n.WaitApplied(ctx, index); err != nil {
		return 0, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	return index, nil
}

// restoreAside does what hashicorp's main loop and futures, which know no context, have to be waited
// for. When the caller leaves, the restore may go on until it finds the backup closed.
func (n *Node) restoreAside(ctx context.Context, r *raft.Raft, b *Backup) (uint64, error) {
	type restored struct {
		index uint64
		err   error
	}
	done := make(chan restored, 1)
	go func() {
		index, err := n.restore(ctx, r, b)
		done <- restored{index, err}
	}()
	select {
	case d := <-done:
		return d.index, d.err
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, ctx.Err())
	}
}

func (n *Node) restore(ctx context.Context, r *raft.Raft, b *Backup) (_ uint64, err error) {
	if b.Header.Cluster != n.Identity().Cluster || b.highest >= model.Revision(r.LastIndex()+1, 0) {
		if b, err = n.renumber(ctx, r, b); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, b.Close()) }()
	}
	n.cfg.Log.Warn("restoring a backup in the place of all records", "records", b.Records, "cluster", b.Header.Cluster, "index", b.Header.Index)
	lift, err := n.fsm.turns.bar(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: a snapshot that is being taken does not end: %w", model.ErrTimeout, err)
	}
	defer lift()
	before := n.fsm.queue.restoreIndex()
	err = r.Restore(&raft.SnapshotMeta{Version: raft.SnapshotVersionMax, Size: b.size}, b.restored(), 0)
	index := n.fsm.queue.restoreIndex()
	switch {
	case err == nil:
		return index, nil
	case index == before:
		return 0, restoreError(err)
	}
	return 0, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
}

// restored gives the records as the snapshot that Raft is to have.
func (b *Backup) restored() io.Reader {
	records := io.NewSectionReader(b.file, b.snapshotAt+int64(len(snapshotMagic)), b.size-int64(len(snapshotMagic)))
	return io.MultiReader(strings.NewReader(restoredMagic), records)
}

// restoreError translates hashicorp's error for a restore that changed nothing.
func restoreError(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader),
		errors.Is(err, raft.ErrLeadershipTransferInProgress),
		errors.Is(err, raft.ErrRaftShutdown):
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return fmt.Errorf("make a snapshot of the backup: %w", err)
}
