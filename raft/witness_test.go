package raft

import (
	"context"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// mustLeadWith returns a leader that takes itself for one of two voters, of which it cannot ask the other.
// It leads until its lease is over, in half a second.
func mustLeadWith(t *testing.T, id string) *testNode {
	t.Helper()
	n := newTestConfig(t).mustLead(t)
	_ = n.current().raft.AddVoter(raft.ServerID(id), "127.0.0.1:1", 0, 0) // never committed, and counts all the same
	require.Eventually(t, func() bool { return len(n.Members()) == 2 }, 5*time.Second, time.Millisecond)
	return n
}

// A voter's word for its own term takes the place of a question to it, and nothing else does: the word of
// a stranger, of a voter that is in another term, or of one where more than two are needed, must not
// let a leader that was replaced answer a linearizable read.
func TestWitnessCompletesAQuorum(t *testing.T) {
	n := mustLeadWith(t, "node8")
	term := n.Term()
	ask := func(n *testNode, ack model.TermAck) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := n.ReadIndexFor(ctx, ack)
		return err
	}
	require.NoError(t, ask(n, model.TermAck{Node: "node8", Term: term}))
	require.Error(t, ask(n, model.TermAck{}))
	require.Error(t, ask(n, model.TermAck{Node: "node8", Term: term - 1}))
	require.Error(t, ask(n, model.TermAck{Node: "node8", Term: term + 1}))
	require.Error(t, ask(n, model.TermAck{Node: "stranger", Term: term}))
	require.Error(t, ask(n, model.TermAck{Node: n.Identity().Node, Term: term}), "it counts itself already")
}
