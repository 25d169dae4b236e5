package raft

import (
	"sort"
	"time"
)

// Lag is how long the oldest entry that this node was handed and has not applied waits already; 0 when
// there is none. Of entries that only the log holds any more it is an upper bound.
func (n *Node) Lag() time.Duration {
	since := n.fsm.queue.waitingSince(n.AppliedIndex())
	if since.IsZero() {
		return 0
	}
	return time.Since(since)
}

// waitingSince returns when the oldest entry above applied was handed over.
func (q *queue) waitingSince(applied uint64) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := sort.Search(len(q.entries), func(i int) bool { return q.entries[i].position.Index > applied })
	if i < len(q.entries) && (q.entries[i].position.Index == applied+1 || q.leftSince.IsZero()) {
		return q.entries[i].handed
	}
	if applied >= q.handed {
		return time.Time{}
	}
	return q.leftSince
}

// noteLeft notes that an entry is left to the log. The caller holds the lock.
func (q *queue) noteLeft(e entry) {
	if q.leftSince.IsZero() {
		q.leftSince = e.handed
	}
}
