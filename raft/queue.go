package raft

import (
	"sync"
	"time"

	"versiond/group"
	"versiond/model"
)

// queueBytesMax bounds the entries that the queue keeps in memory. What does not fit is read from
// the Raft log when its turn comes: the log is the real queue (docs/design.md, "A slow or dead store never stalls Raft").
const queueBytesMax = 16 << 20

// entry is one committed log entry on its way to the applier. Data is nil for entries that hold no
// commands. Handle is nil when nobody on this node waits for the outcomes.
type entry struct {
	position model.Position
	data     []byte
	handle   *handle
	handed   time.Time // when the FSM was given it; not set in entries that were read from the log
}

// handle is where the proposer of an entry waits for its outcomes. The first result counts.
type handle struct{ done chan result }

type result struct {
	outcomes []model.UnitOutcome
	err      error
}

func newHandle() *handle { return &handle{done: make(chan result, 1)} }

// resolve waits for nobody: an entry is applied again after a rebuild, and its proposer may be gone.
func (h *handle) resolve(r result) {
	if h == nil {
		return
	}
	select {
	case h.done <- r:
	default: // it has its result
	}
}

// abandon resolves the handle with an unknown outcome, unless it has its result.
func (h *handle) abandon() { h.resolve(result{err: model.ErrOutcomeUnknown}) }

// queue lies between hashicorp's FSM goroutine, which never waits, and the applier.
type queue struct {
	wake   group.Signal // is set whenever there may be something new for the applier
	urgent group.Signal // is set when that should not wait until more has come

	mu sync.Mutex
	marks
	entries []entry
	bytes   int
	// leftSince is when the first of the entries was handed over that the queue left to the log and
	// the applier has not made up for; zero when there are none.
	leftSince time.Time
	view      *viewRequest
	views     []*viewRequest // of whatever is applied when their turn comes
	closing   bool           // no view will be opened any more
	rebuild   chan struct{}  // closed when the store was built anew; nil when nobody asks for it
}

// marks are indexes that the FSM was given.
type marks struct {
	handed  uint64 // the last one
	highest uint64
	restore uint64 // that of a snapshot that it was told to restore
}

func newQueue() *queue { return &queue{wake: group.NewSignal(), urgent: group.NewSignal()} }

// push takes an entry from the FSM. One that nobody waits for may be left to the log.
func (q *queue) push(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handed, q.highest = e.position.Index, max(q.highest, e.position.Index)
	if e.handle == nil && q.bytes+len(e.data) > queueBytesMax {
		q.noteLeft(e)
		return
	}
	q.bytes += len(e.data)
	q.entries = append(q.entries, e)
	if e.handle != nil || len(q.entries) >= applyEntriesMax {
		q.urgent.Set()
	}
}

// patient reports whether there is something to apply that may wait until more has come.
func (q *queue) patient() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 || len(q.entries) >= applyEntriesMax || q.view != nil || q.restore > q.entries[0].position.Index {
		return false
	}
	for i := range q.entries {
		if q.entries[i].handle != nil {
			return false
		}
	}
	select {
	case <-q.urgent: // left over from entries that are applied already
	default:
	}
	return true
}

// pushRestore notes that a snapshot at index takes the place of everything before it, and wakes the applier.
func (q *queue) pushRestore(index uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handed, q.restore, q.highest = index, index, max(q.highest, index)
	q.wake.Set()
}

// startAt notes that hashicorp/raft will hand over nothing up to index, because a snapshot covers it: that
// has to come from the log.
func (q *queue) startAt(index uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handed, q.highest = index, index
}

// marked returns how far the queue has been told to go.
func (q *queue) marked() marks {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.marks
}

// take returns the entries that follow applied without a gap, within the applier's bounds and not
// beyond a snapshot view that waits. What the applier has passed is dropped.
func (q *queue) take(applied uint64, entriesMax, bytesMax int) []entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(applied)
	n, bytes, next := 0, 0, applied+1
	for n < len(q.entries) && n < entriesMax && q.entries[n].position.Index == next && q.mayPass(next) {
		bytes += len(q.entries[n].data)
		if n > 0 && bytes > bytesMax {
			break
		}
		n, next = n+1, next+1
	}
	return q.entries[:n:n]
}

// firstAfter returns the lowest index above applied that the queue holds, and whether there is one.
func (q *queue) firstAfter(applied uint64) (uint64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(applied)
	if len(q.entries) == 0 {
		return 0, false
	}
	return q.entries[0].position.Index, true
}

// drop forgets what the applier has passed. A handle that is still there belongs to an entry that a
// snapshot covered: whether its commands are in it cannot be told any more.
func (q *queue) drop(applied uint64) {
	if applied >= q.handed {
		q.leftSince = time.Time{}
	}
	n := 0
	for n < len(q.entries) && q.entries[n].position.Index <= applied {
		q.bytes -= len(q.entries[n].data)
		q.entries[n].handle.abandon()
		n++
	}
	if n == 0 {
		return
	}
	clear(q.entries[:n]) // lets go of the data and the handles
	if q.entries = q.entries[n:]; len(q.entries) == 0 {
		q.entries = nil
	}
}

// refuseViews ends the wait of a snapshot that is being taken, and of all to come: a node that stops
// does not wait for one.
func (q *queue) refuseViews() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closing = true
	q.cancelView(errViewLate)
	for _, request := range q.views {
		request.settle(nil, errClosing)
	}
}

// close answers everybody who still waits that the outcome is not known. The applier has ended.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.entries {
		q.entries[i].handle.abandon()
	}
	q.entries = nil
}
