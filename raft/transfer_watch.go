package raft

import (
	"errors"
	"sync"
	"time"
)

const (
	// transferMax is twice the election timeout, after which hashicorp/raft gives up a transfer.
	transferMax = 2 * time.Second
	// transferGap is how long there may be no refusal without the next one being of another transfer.
	transferGap = 500 * time.Millisecond
)

// ErrTransferStuck is why a node ends that has to be opened again at once: it leads, and hashicorp/raft
// refuses all writes for a transfer of leadership that was broken off (hashicorp/raft#696).
var ErrTransferStuck = errors.New("this leader refuses all writes for a transfer of leadership that was broken off; start this node again")

// transferWatch distinguishes a transfer that never ends from several that do, by how long entries and changes of
// members are refused for one without a pause. It notices nothing before somebody wants either of the leader.
type transferWatch struct {
	mu          sync.Mutex
	since, last time.Time
}

// refused notes one refusal, and reports whether there have been refusals for too long.
func (w *transferWatch) refused(now time.Time) (stuck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.last) > transferGap {
		w.since = now
	}
	w.last = now
	return now.Sub(w.since) > transferMax
}
