package system_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// compacting makes nodes drop their log after every few entries, so that whoever comes later must be
// sent a snapshot.
func compacting() []string {
	return []string{"VERSIOND_RAFT_SNAPSHOTTHRESHOLD=16", "VERSIOND_RAFT_TRAILINGLOGS=4", "VERSIOND_RAFT_SNAPSHOTINTERVAL=200ms"}
}

// mustCompact writes until a join can only be served by a snapshot, and leaves records behind.
func mustCompact(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	mustAddMany(t, c.Leader(), "compacted", 60)
	leader := c.Leader()
	leader.AwaitSnapshot(10 * time.Second)
	mustAddMany(t, leader, "after", 10)
}

// A node that joins after the log was cut off is sent a snapshot, ends up with everything, and gets
// its vote. If this fails, a cluster that has run for a while cannot grow or replace a machine.
func TestFourthNodeJoins(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config(compacting()...))
		mustCompact(t, c)

		asked := c.AddNode("node4")
		asked.Start()
		cluster.Eventually(t, 10*time.Second, "node4 is to wait to be joined", func() error {
			_, err := asked.Client.Status(t.Context())
			return err
		})
		require.Error(t, asked.Client.Ready(t.Context()), "nobody has let it in yet")
		follower := c.Followers()[0]
		member, err := follower.Client.Join(t.Context(), asked.ID, asked.Address, true)
		require.NoError(t, err)
		require.Equal(t, model.Member{ID: "node4", Address: asked.Address, Port: asked.Port}, member, "it has no vote before it has caught up")
		_, err = follower.Client.Join(t.Context(), asked.ID, asked.Address, true)
		require.NoError(t, err, "joining again")

		replica := c.AddNode("node5")
		replica.Start()
		cluster.Eventually(t, 10*time.Second, "node5 joins without a vote", func() error {
			_, err := follower.Client.Join(t.Context(), replica.ID, replica.Address, false)
			return err
		})

		asking := c.AddNode("node6", "--join", c.Followers()[1].Address)
		asking.Start()

		c.WaitReady()
		c.WaitSuffrage("node4", model.SuffrageVoter)
		c.WaitSuffrage("node6", model.SuffrageVoter)
		c.WaitSuffrage("node5", model.SuffrageNonvoter)
		requireRowCount(t, c.RequireEqualStores(), 70)
		for _, n := range []*cluster.Node{asked, replica, asking} {
			require.NotEmpty(t, n.Snapshots("state.bin"), "it was not by a snapshot that it got the records")
		}

		mustAdd(t, replica, "written-on-the-replica")
		requireStaysNonvoter(t, c, "node5")
		restart(t, c, asked, replica, asking)
		requireRowCount(t, c.RequireEqualStores(), 71)
	})
}

// requireStaysNonvoter waits longer than the leader takes to promote a node that wants a vote.
func requireStaysNonvoter(t *testing.T, c *cluster.Cluster, id string) {
	t.Helper()
	const longerThanPromotion = 4 * time.Second
	for end := time.Now().Add(longerThanPromotion); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		c.WaitSuffrage(id, model.SuffrageNonvoter)
	}
}

func restart(t *testing.T, c *cluster.Cluster, nodes ...*cluster.Node) {
	t.Helper()
	for _, n := range nodes {
		n.Stop()
		n.Start()
		c.WaitReady()
	}
}

// Who names the wrong node, a taken address or nobody's is told so, and the members stay as they are.
// If this fails, a slip of the pen costs a cluster its quorum.
func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	before, err := c.Nodes[0].Client.Peers(t.Context())
	require.NoError(t, err)
	nobody := cluster.FreeAddress(t)
	tests := map[string]struct{ id, address, code string }{
		"nobody answers":             {"node9", nobody, "node_unreachable"},
		"another node answers":       {"node9", c.Nodes[1].Address, "wrong_node"},
		"a member moves nowhere":     {"node2", nobody, "node_unreachable"},
		"a member moves to a member": {"node2", c.Nodes[2].Address, "wrong_node"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, n := range c.Nodes {
				_, err := n.Client.Join(t.Context(), tt.id, tt.address, true)
				requireCode(t, tt.code, err)
			}
		})
	}
	stranger := cluster.Start(t, cluster.Config{Program: program, Nodes: 1})
	_, err = c.Nodes[0].Client.Join(t.Context(), stranger.Nodes[0].ID, stranger.Nodes[0].Address, true)
	requireCode(t, "wrong_node", err)

	after, err := c.Nodes[0].Client.Peers(t.Context())
	require.NoError(t, err)
	require.Len(t, after.Members, len(before.Members))
	for i, m := range after.Members {
		require.Equal(t, before.Members[i].Address, m.Address)
	}
}
