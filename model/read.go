package model

import (
	"context"
	"time"
)

// Level is how current a read must be (design section 3).
type Level string

// The read levels.
const (
	// LevelLinearizable reflects everything committed when the read arrived, confirmed by a quorum.
	LevelLinearizable Level = "linearizable"
	// LevelLeader reflects the leader's applied state without asking a quorum.
	LevelLeader Level = "leader"
	// LevelNone reflects whatever the node that was asked has applied; it needs no leader.
	LevelNone Level = "none"
)

// ReadOptions says how current a read must be.
type ReadOptions struct {
	Level Level
	// MinIndex is an applied index that the answer must reflect; 0 asks for none.
	MinIndex uint64
	// Timeout is how long the read may take; 0 leaves that to its context.
	Timeout time.Duration
}

// Less returns the options of a read for which so much of its time has gone.
func (o ReadOptions) Less(gone time.Duration) ReadOptions {
	if o.Timeout != 0 {
		o.Timeout = max(o.Timeout-gone, 1) // 0 would be without end
	}
	return o
}

// Bound returns a context that ends with the timeout.
func (o ReadOptions) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, o.Timeout)
}

// ListOptions narrows a listing.
type ListOptions struct {
	// Platform keeps only records of this platform; empty keeps all.
	Platform string
	// After is the id after which the page begins; empty begins at the first.
	After string
	// Limit is the most records that the page may hold.
	Limit int
}

// TermAck says that Node was still in Term after its pending reads arrived. It counts as that voter's reply in the
// quorum round that linearizable reads need.
type TermAck struct {
	Node string
	Term uint64
}

// Found is what a read found: a row, or none.
type Found struct {
	Version
	Exists bool
}
