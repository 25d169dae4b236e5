package raft

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/units"
)

// refusedFuture is what hashicorp/raft returns while it takes a transfer for under way.
type refusedFuture struct{ raft.ApplyFuture }

func (refusedFuture) Error() error { return raft.ErrLeadershipTransferInProgress }

// A leader that refuses all writes for a transfer that never ends must end, to be opened again. If this
// fails, the cluster takes no writes until somebody restarts it (hashicorp/raft#696).
func TestTransferThatNeverEndsEndsTheNode(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	n.current().proposer.apply = func([]byte, time.Duration) raft.ApplyFuture { return refusedFuture{} }
	began := time.Now()
	require.Eventually(t, func() bool {
		_, err := n.Propose(t.Context(), units.Singles(add("a")))
		require.ErrorIs(t, err, model.ErrNotLeader)
		return n.Err() != nil
	}, 10*time.Second, 20*time.Millisecond)
	require.ErrorIs(t, n.Err(), ErrTransferStuck)
	require.Greater(t, time.Since(began), transferMax, "a transfer that is under way may take its time")
}

// Where nobody writes, a member that waits for its vote is who meets such a leader. If this fails, nobody joins, is given a
// vote or leaves.
func TestTransferThatNeverEndsIsMetByChangesOfMembers(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	change := func() error {
		return n.change(t.Context(), errMembers, func(*raft.Raft) raft.Future { return refusedFuture{} })
	}
	require.ErrorIs(t, change(), model.ErrNotLeader)
	require.NoError(t, n.Err(), "a transfer that is under way may take its time")
	watch := &n.current().proposer.transfer
	watch.mu.Lock()
	watch.since, watch.last = watch.since.Add(-transferMax), time.Now()
	watch.mu.Unlock()
	require.ErrorIs(t, change(), model.ErrNotLeader)
	require.ErrorIs(t, n.Err(), ErrTransferStuck)
}

// Transfers that end, however often, are none that is stuck.
func TestTransfersOneAfterTheOtherAreNotStuck(t *testing.T) {
	var w transferWatch
	now := time.Now()
	for range 10 {
		for range 50 { // a second of refusals
			now = now.Add(20 * time.Millisecond)
			require.False(t, w.refused(now))
		}
		now = now.Add(time.Second)
	}
}
