package raft

import (
	"context"
	"fmt"

	"versiond/model"
)

// Propose writes units, of at most model.CommandsPerEntryMax commands, in one log entry and gives their outcomes, in order, once this node has
// applied them. Leader only. Errors: model.ErrNotLeader, ErrTooManyRequests, ErrStoreUnavailable and
// ErrTimeout, after which nothing was proposed, and ErrOutcomeUnknown.
func (n *Node) Propose(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, error) {
	running := n.current()
	switch {
	case running == nil || !n.leads(running):
		return nil, model.ErrNotLeader
	case n.Stuck():
		return nil, fmt.Errorf("%w (%v)", model.ErrStoreUnavailable, n.StoreFailure()) // %v: a driver's timeout must not pass for the caller's
	}
	return running.proposer.propose(ctx, units)
}

// ReadIndex gives an index that covers everything committed before the call, confirmed by a quorum.
// Leader only: model.ErrNotLeader when this node does not lead, or cannot prove it.
func (n *Node) ReadIndex(ctx context.Context) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	return running.reads.readIndex(ctx)
}

// ReadIndexFor is ReadIndex for reads of another member, which says which term it was in after they arrived.
func (n *Node) ReadIndexFor(ctx context.Context, witness model.TermWitness) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	return running.reads.readIndexFor(ctx, witness)
}

// LeaderIndex gives the leader's applied index without asking a quorum, once an entry of its term
// is applied. Leader only.
func (n *Node) LeaderIndex(ctx context.Context) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	if !n.leads(running) {
		return 0, model.ErrNotLeader
	}
	term := running.raft.CurrentTerm()
	if err := running.reads.awaitOpenTerm(ctx, term); err != nil {
		return 0, err
	}
	// The first entry of the term may be committed and not yet applied.
	if n.progress.position().Term < term {
		if err := n.WaitApplied(ctx, running.raft.CommitIndex()); err != nil {
			return 0, err
		}
	}
	return n.AppliedIndex(), nil
}
