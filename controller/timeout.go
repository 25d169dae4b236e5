package controller

import (
	"context"
	"sync"
	"time"
)

// withTimeout is context.WithTimeout for a request that may be answered from memory: the timer, which costs as much
// as that, is set once somebody asks for more than the deadline.
func withTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	t := &timeout{parent: parent, deadline: time.Now().Add(d)}
	return t, t.cancel
}

// timeout is a context that withTimeout made.
type timeout struct {
	parent   context.Context
	deadline time.Time

	once  sync.Once
	timed context.Context
	end   context.CancelFunc
}

func (t *timeout) wait() context.Context {
	t.once.Do(func() { t.timed, t.end = context.WithDeadline(t.parent, t.deadline) })
	return t.timed
}

func (t *timeout) cancel() {
	t.once.Do(func() { t.timed, t.end = ended, func() {} })
	t.end()
}

// ended is a context that is over.
var ended, _ = context.WithDeadline(context.Background(), time.Time{})

func (t *timeout) Deadline() (time.Time, bool) { return t.deadline, true }
func (t *timeout) Done() <-chan struct{}       { return t.wait().Done() }
func (t *timeout) Err() error                  { return t.wait().Err() }
func (t *timeout) Value(key any) any           { return t.wait().Value(key) }
