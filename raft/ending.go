package raft

import "sync"

// ending is why a node cannot go on, once it cannot.
type ending struct {
	mu     sync.Mutex
	err    error
	failed chan struct{} // closed then
}

func newEnding() *ending { return &ending{failed: make(chan struct{})} }

// fail notes the first reason; the node's owner sees Failed.
func (e *ending) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
		close(e.failed)
	}
}

// Failed is closed when the node cannot go on; Err then says why, and Close is all that is left.
func (e *ending) Failed() <-chan struct{} { return e.failed }

// Err says why the node cannot go on, nil while it can.
func (e *ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}
