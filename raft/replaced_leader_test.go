package raft

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// held returns how many bytes of entries the queue has in memory.
func (q *queue) held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// A leader whose store is gone hands over with a write on its way. If this fails, that write makes it keep all that
// the next leader writes in memory, for as long as its store is gone.
func TestReplacedLeaderWithADeadStoreKeepsABoundedQueue(t *testing.T) {
	c := mustTrio(t)
	first := &testNode{Node: c.nodes[0], dir: c.nodes[0].cfg.Dir}
	first.mustAdd(t, "kept", 3)
	c.rows[first.Node].refuseCommits(1 << 30)
	defer c.rows[first.Node].refuseCommits(0)
	before := first.LastIndex()
	go func() { _, _ = first.Propose(t.Context(), model.Singles(add("waits"))) }()
	require.Eventually(t, func() bool { return first.fsm.queue.handedIndex() > before }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, first.TransferLeadership(t.Context(), c.nodes[1].Identity().Node, c.nodes[1].Address()))
	second := c.leaderBut(t, first.Node, 10*time.Second)
	for i := range 160 {
		commands := make([]model.Command, 1000)
		for j := range commands {
			commands[j] = add(fmt.Sprintf("later-%0100d-%d", i, j))
		}
		_, err := second.Propose(t.Context(), model.Singles(commands...))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return first.fsm.queue.handedIndex() >= second.AppliedIndex() }, 10*time.Second, 5*time.Millisecond)
	require.LessOrEqual(t, first.fsm.queue.held(), queueBytesMax+entryBytesMax)
}

func (s *fakeStore) refuseCommits(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failCommits = count
}
