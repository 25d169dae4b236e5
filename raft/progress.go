package raft

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"versiond/group"
	"versiond/model"
)

// StuckAfter is how long the applier may be held up before the node counts as stuck.
const StuckAfter = 2 * time.Second

// progress is how far the applier is. Any goroutine may read it and wait for it; only the applier moves it.
type progress struct {
	// wanted is set when somebody has begun to wait.
	wanted  group.Signal
	applied atomic.Uint64
	highest atomic.Uint64 // the highest that applied has ever been; it goes back where a store has lost what it held
	serving atomic.Bool   // the store is known to be ours and to hold what applied says
	moved   atomic.Pointer[time.Time]
	worked  atomic.Pointer[time.Time]
	failure atomic.Pointer[storeFailure]
	unsure  atomic.Bool // somebody has seen the store hold something else than it should
	keeps   atomic.Bool // the log says that changes are kept, for ever
	pace    pace

	mu      sync.Mutex
	term    uint64
	content checkpoints
	waiters map[*waiter]struct{}
}

// storeFailure is what the store answered when it failed.
type storeFailure struct {
	err error
	at  time.Time
}

type waiter struct {
	index   uint64
	reached chan struct{}
}

func newProgress() *progress {
	p := &progress{wanted: group.NewSignal(), waiters: map[*waiter]struct{}{}}
	p.touch()
	return p
}

// publish moves the applied position, notes the checksums on the way there, and releases who waited
// for it.
func (p *progress) publish(at model.Position, points ...model.Checkpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.content.note(points...)
	p.term = at.Term
	p.applied.Store(at.Index)
	p.touch()
	for w := range p.waiters {
		if w.index <= at.Index {
			close(w.reached)
			delete(p.waiters, w)
		}
	}
}

func (p *progress) position() model.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return model.Position{Index: p.applied.Load(), Term: p.term}
}

func (p *progress) enlist(index uint64) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.applied.Load() >= index {
		return nil
	}
	w := &waiter{index: index, reached: make(chan struct{})}
	p.waiters[w] = struct{}{}
	p.wanted.Set()
	return w
}

// awaited reports whether somebody waits for an index up to end.
func (p *progress) awaited(end uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.waiters {
		if w.index <= end {
			return true
		}
	}
	return false
}

// AppliedIndex is the highest index whose effect is in the store and seen by readers.
func (p *progress) AppliedIndex() uint64 { return p.applied.Load() }

// WaitApplied returns once index is applied, with model.ErrTimeout when the context ends before.
func (p *progress) WaitApplied(ctx context.Context, index uint64) error {
	if p.applied.Load() >= index {
		return nil
	}
	w := p.enlist(index)
	if w == nil {
		return nil
	}
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		delete(p.waiters, w)
		p.mu.Unlock()
		return errors.Join(model.ErrTimeout, ctx.Err())
	}
}

// KeepsChanges reports whether this node knows that its log has the entry from which on changes are kept. Every member then is of
// a release that knows of origins, whoever leads.
func (p *progress) KeepsChanges() bool { return p.keeps.Load() }

// NoteKeepsChanges notes that changes are kept: this node's log begins with that, or has it by now, or the leader's has.
func (p *progress) NoteKeepsChanges() { p.keeps.Store(true) }

// Serving reports whether the store is known to be ours and to hold what AppliedIndex says.
func (p *progress) Serving() bool { return p.serving.Load() }

// CommitTime is what the store takes for a transaction lately, at least, and when it was last seen at
// work. It is 0 while that is not known.
func (p *progress) CommitTime() (took time.Duration, at time.Time) { return p.pace.now() }

// touch notes that the applier is alive and not held up; sinceMoved measures from here.
func (p *progress) touch() {
	now := time.Now()
	p.moved.Store(&now)
	p.worked.Store(&now)
	p.failure.Store(nil)
}

// work notes that the store has done a part of what the applier wants of it: it reads, or writes, much.
func (p *progress) work() {
	now := time.Now()
	p.worked.Store(&now)
}

func (p *progress) noteFailure(err error) { p.failure.Store(&storeFailure{err, time.Now()}) }

// StoreFailure is what the store answered last when it failed, nil when it did not or has worked for a while since.
func (p *progress) StoreFailure() error {
	f := p.failure.Load()
	if f == nil || p.worked.Load().Sub(f.at) > StuckAfter {
		return nil
	}
	return f.err
}

// works reports whether the store goes on with what the applier wants of it.
func (p *progress) works() bool { return p.StoreFailure() == nil && p.sinceWorked() <= StuckAfter }

func (p *progress) sinceWorked() time.Duration { return time.Since(*p.worked.Load()) }

func (p *progress) sinceMoved() time.Duration { return time.Since(*p.moved.Load()) }
