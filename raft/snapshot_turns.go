package raft

import (
	"context"
	"errors"
	"sync"
)

var errInstalledMeanwhile = errors.New("another snapshot is installed in the meantime, or this node stops")

// snapshotTurns keeps the snapshot that is being taken apart from one that is installed. Hashicorp/raft ends
// the former with noting its index as that of the last snapshot, also when that is a later one by then
// (hashicorp/raft#248): the node could not tell any more what goes before its log.
type snapshotTurns struct {
	mu     sync.Mutex
	closed bool
	ctx    context.Context // of the snapshots that are taken now
	cancel context.CancelCauseFunc
}

func newSnapshotTurns() *snapshotTurns {
	t := &snapshotTurns{}
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	return t
}

// turn returns the context of a snapshot that is taken now, which ends when it is broken off.
func (t *snapshotTurns) turn() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ctx
}

// breakOff makes the snapshot that is being taken fail. It does not wait.
func (t *snapshotTurns) breakOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel(errInstalledMeanwhile)
	if !t.closed {
		t.ctx, t.cancel = context.WithCancelCause(context.Background())
	}
}

// close lets no snapshot be taken any more, and breaks off the one that is.
func (t *snapshotTurns) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.breakOff()
}
