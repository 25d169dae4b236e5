package raft

import (
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
	taken  *versionSnapshot // from FSM.Snapshot until hashicorp/raft releases it
}

// begin fails on a node that stops.
func (t *snapshotTurns) begin(s *versionSnapshot) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errInstalledMeanwhile
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
	}
}

// breakOff makes the snapshot that is being taken fail. It does not wait.
func (t *snapshotTurns) breakOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken != nil {
		t.taken.cancel(errInstalledMeanwhile)
	}
}

// close lets no snapshot begin any more, and breaks off the one that is being taken.
func (t *snapshotTurns) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.breakOff()
}
