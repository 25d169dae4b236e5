package raft

import (
	"context"

	"versiond/model"
)

// ReadIndex returns an index that covers everything committed before the call, confirmed by a quorum.
// Leader only: model.ErrNotLeader when this node does not lead, or cannot prove it.
func (n *Node) ReadIndex(ctx context.Context) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	return running.reads.readIndex(ctx)
}

// ReadIndexFor is ReadIndex for reads of another member, which says which term it was in after they arrived.
func (n *Node) ReadIndexFor(ctx context.Context, ack model.TermAck) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	return running.reads.readIndexFor(ctx, ack)
}

// LeaderIndex returns the leader's applied index without asking a quorum, once an entry of its term
// is applied. Leader only.
func (n *Node) LeaderIndex(ctx context.Context) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	if !running.leads() {
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
