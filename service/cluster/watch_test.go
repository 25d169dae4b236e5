package cluster_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/service/cluster"
	"versiond/test/units"
)

// A node that was removed and is among the members again must serve again by itself.
func TestANodeThatIsAMemberAgainServes(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	n.SetRemoved(model.ErrNodeRemoved)
	require.ErrorIs(t, n.WithLeader(t.Context(), func(context.Context) error { return nil }), model.ErrNodeRemoved)
	watching, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { n.WatchRemoval(watching) })
	require.Eventually(t, func() bool { return n.Removed() == nil }, 10*time.Second, 5*time.Millisecond)
	stop()
	wg.Wait()
	require.NoError(t, n.WithLeader(t.Context(), func(context.Context) error { return nil }))
}

// A node that was taken out before it was sent anything knows of no member to ask. It must say all the same that it is none:
// otherwise it waits for a leader for ever, and nobody sees why.
func TestANodeThatWasNeverSentAnythingSaysThatItWasRemoved(t *testing.T) {
	t.Parallel()
	n := options{id: "node2", parts: func(string) cluster.Parts { return threeListed("node1:7001") }}.mustOpen(t)
	leader := member("node1", "cluster1")
	leader.State, leader.Members = "leader", []raft.Member{{ID: "node1", Address: "node1:7001", Voter: true}, {ID: "node2"}}
	n.peers.pretend("node1:7001", leader)
	require.NoError(t, n.Node.Admit(datadir.Membership{Cluster: "cluster1"}))
	require.Empty(t, n.Node.Members())
	require.NoError(t, n.CheckRemoval(t.Context()), "the leader has it among the members")
	leader.Members = leader.Members[:1]
	n.peers.pretend("node1:7001", leader)
	require.ErrorIs(t, n.CheckRemoval(t.Context()), model.ErrNodeRemoved)
}

// When no voter is better off, as in an outage of all stores, the leader must look again soon: the first
// store to come back should lead. If this fails, a leader whose own store stays away refuses writes for ten
// seconds more than it has to.
func TestNobodyBetterOffIsAskedAgainSoon(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	stuck := n.Stuck()
	require.Equal(t, cluster.NobodyPause, stuck.HandOver(t.Context()))
	require.False(t, stuck.Told(), "its store works, and is no reason for an alarm")
	require.NoError(t, db.Close(n.store.DB))
	ctx, cancel := context.WithCancel(t.Context())
	var waits sync.WaitGroup
	waits.Go(func() {
		_, _ = n.Node.Propose(ctx, units.Singles(model.Command{Type: model.CommandAdd, ID: "a", VersionNo: "1", Platform: "linux"})) // nobody waits for its outcome
	})
	require.Eventually(t, func() bool { return n.Node.HeldUp() != nil }, 15*time.Second, 5*time.Millisecond)
	require.Equal(t, cluster.NobodyPause, stuck.HandOver(t.Context()))
	require.True(t, stuck.Told())
	stuck.Recover()
	require.False(t, stuck.Told(), "the next outage has to be told of too")
	require.Less(t, cluster.NobodyPause, cluster.HandOverPause/5)
	cancel()
	waits.Wait()
}
