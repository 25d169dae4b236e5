package raft

import (
	"context"
	"errors"
	"sync"
)

var errRestoredMeanwhile = errors.New("another snapshot is restored in the meantime, or this node stops")

// snapshotTurns keeps the snapshot that is being taken apart from one that is restored. Hashicorp/raft ends
// the former with noting its index as that of the last snapshot, also when that is a later one by then
// (hashicorp/raft#248): a leader that has restored a backup could not tell any more what goes before its
// log, would send its followers the backup without end, and have no write committed.
type snapshotTurns struct {
	mu    sync.Mutex
	bars  int
	taken *versionSnapshot // from FSM.Snapshot until hashicorp/raft releases it
}

// begin fails while snapshots are barred.
func (t *snapshotTurns) begin(s *versionSnapshot) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bars > 0 {
		return errRestoredMeanwhile
	}
	t.taken = s
	return nil
}

// end is called when hashicorp/raft has noted the snapshot, or will not.
func (t *snapshotTurns) end(s *versionSnapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == s {
		t.taken = nil
		close(s.released)
	}
}

// breakOff makes the snapshot that is being taken fail, and gives it, nil when there is none. It does not wait.
func (t *snapshotTurns) breakOff() *versionSnapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken != nil {
		t.taken.cancel(errRestoredMeanwhile)
	}
	return t.taken
}

// bar breaks off the snapshot that is being taken, waits for its end, and lets none begin until lift is
// called.
func (t *snapshotTurns) bar(ctx context.Context) (lift func(), err error) {
	taken := t.close()
	if taken == nil {
		return t.lift, nil
	}
	select {
	case <-taken.released:
		return t.lift, nil
	case <-ctx.Done():
		t.lift()
		return nil, ctx.Err()
	}
}

func (t *snapshotTurns) lift() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bars--
}

// close lets no snapshot begin any more, and breaks off and gives the one that is being taken.
func (t *snapshotTurns) close() *versionSnapshot {
	t.mu.Lock()
	t.bars++
	t.mu.Unlock()
	return t.breakOff()
}
