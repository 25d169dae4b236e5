package raft

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/units"
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
	c.rows[first.Node].RefuseCommits(1 << 30)
	defer c.rows[first.Node].RefuseCommits(0)
	before := first.LastIndex()
	go func() { _, _ = first.Propose(t.Context(), units.Singles(add("waits"))) }()
	require.Eventually(t, func() bool { return first.fsm.queue.marked().handed > before }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, first.TransferLeadership(t.Context(), c.nodes[1].Identity().Node, c.nodes[1].Address()))
	long := strings.Repeat("\U0001F4BE", 64) // four bytes each
	var second *Node
	for i := range 80 {
		commands := make([]model.Command, 380)
		for j := range commands {
			commands[j] = model.Command{Type: model.CommandAdd, ID: fmt.Sprintf("later-%0100d-%d", i, j), VersionNo: long, Platform: long}
		}
		require.Eventually(t, func() bool { // on a busy machine the lead may move once more
			second = c.leaderBut(t, first.Node, 10*time.Second)
			_, err := second.Propose(t.Context(), units.Singles(commands...))
			return err == nil
		}, 20*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool { return first.fsm.queue.marked().handed >= second.AppliedIndex() }, 10*time.Second, 5*time.Millisecond)
	require.LessOrEqual(t, first.fsm.queue.held(), queueBytesMax+entryBytesMax)
}
