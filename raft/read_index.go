package raft

import (
	"context"

	"versiond/model"
)

// ReadIndexFor returns an index that covers everything committed before the call, confirmed by a quorum, for reads of the
// member that ack is of, or of this node. Leader only: model.ErrNotLeader when this node does not lead, or cannot prove it.
func (n *Node) ReadIndexFor(ctx context.Context, ack model.TermAck) (uint64, error) {
	running := n.current()
	if running == nil {
		return 0, model.ErrNotLeader
	}
	return running.reads.IndexFor(ctx, ack)
}

// LeadsLevel reports whether this node leads, as far as it knows, and has applied an entry of its term, and so all that was
// acknowledged before it led.
func (n *Node) LeadsLevel() bool {
	running := n.current()
	return running != nil && running.leads() && n.progress.position().Term == running.raft.CurrentTerm()
}

// LeaderIndex returns the leader's applied index without asking a quorum, once an entry of its term
// is applied; where its store was put back, the one of before. Leader only.
func (n *Node) LeaderIndex(ctx context.Context) (uint64, error) {
	running := n.current()
	if running == nil || !running.leads() {
		return 0, model.ErrNotLeader
	}
	term := running.raft.CurrentTerm()
	if err := running.reads.AwaitOpenTerm(ctx, term); err != nil {
		return 0, err
	}
	// The first entry of the term may be committed and not yet applied.
	if n.progress.position().Term < term {
		if err := n.WaitApplied(ctx, running.raft.CommitIndex()); err != nil {
			return 0, err
		}
	}
	return n.highest.Load(), nil
}
