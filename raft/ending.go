package raft

import "context"

// ending is why a node cannot go on, once it cannot. The first reason counts.
type ending struct {
	ctx  context.Context
	fail context.CancelCauseFunc
}

func newEnding() *ending {
	ctx, fail := context.WithCancelCause(context.Background())
	return &ending{ctx: ctx, fail: fail}
}

// Failed is closed when the node cannot go on; Err then says why, and Close is all that is left.
func (e *ending) Failed() <-chan struct{} { return e.ctx.Done() }

// Err returns why the node cannot go on, nil while it can.
func (e *ending) Err() error { return context.Cause(e.ctx) }
