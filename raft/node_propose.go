package raft

import (
	"context"

	"versiond/model"
)

// Propose writes units, of at most model.CommandsPerEntryMax commands, in one log entry and gives their outcomes, in order, once this node has
// applied them. Leader only. Errors: model.ErrNotLeader, ErrTooManyRequests, ErrStoreUnavailable,
// ErrNotCaughtUp and ErrTimeout, after which nothing was proposed, and ErrOutcomeUnknown.
func (n *Node) Propose(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, error) {
	running := n.current()
	switch {
	case running == nil || !n.leads(running):
		return nil, model.ErrNotLeader
	case n.Stuck():
		return nil, n.whyStuck()
	}
	return running.proposer.propose(ctx, units)
}
