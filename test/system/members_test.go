package system_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// Leadership can be handed to any voter, asked of any node, and writes go on. If this fails, nobody can
// take a machine down for maintenance without an outage.
func TestLeadershipMoves(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		for i, n := range c.Nodes {
			asked := c.Nodes[(i+1)%len(c.Nodes)]
			leader, err := asked.Client.Transfer(t.Context(), n.ID)
			require.NoError(t, err, "asked of %s for %s", asked.ID, n.ID)
			require.Equal(t, model.Leader{ID: n.ID, Address: n.Address, Port: n.Port}, leader)
			for _, each := range c.Nodes {
				addWithin(t, each, fmt.Sprintf("led-by-%s-on-%s", n.ID, each.ID), 2*time.Second)
				known, err := each.Client.Leader(t.Context())
				require.NoError(t, err)
				require.Equal(t, leader, known, "as %s sees it", each.ID)
			}
		}
		_, err := c.Nodes[0].Client.Transfer(t.Context(), "node9")
		requireCode(t, "not_found", err)
		requireRowCount(t, c.RequireEqualStores(), 9)
	})
}

// A leader that is stopped hands over first: no write has to wait for an election. If this fails,
// every rolling restart is an outage of seconds.
func TestStoppedLeaderHandsOver(t *testing.T) {
	c := cluster.Start(t, mode{}.config())
	leader, others := c.Leader(), c.Followers()
	leader.Stop()
	began := time.Now()
	addWithin(t, others[0], "right-after", 2*time.Second)
	t.Logf("the first write took %s", time.Since(began))
	leader.Start()
	c.WaitReady()
	requireRowCount(t, c.RequireEqualStores(), 1)
}

// Removing a member that the quorum needs is refused, and one that it does not need is removed: it
// says so itself, is not ready, and takes no writes. If this fails, an operator destroys the quorum by
// one request, or a removed node goes on serving as if nothing had happened.
func TestRemoveMember(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 10)
		needed, dead := c.Followers()[0], c.Followers()[1]

		dead.Kill()
		requireCode(t, "quorum_at_risk", c.Leader().Client.Remove(t.Context(), needed.ID))
		requireCode(t, "not_found", c.Leader().Client.Remove(t.Context(), "node9"))
		require.NoError(t, needed.Client.Remove(t.Context(), dead.ID), "the dead one is not needed")
		mustAddMany(t, needed, "by-two", 5)

		dead.Start() // it does not know yet
		requireRemoved(t, dead)
		comeBack(t, c, dead, needed)
		requireRowCount(t, c.RequireEqualStores(), 15)
	})
}

// A leader that is asked to remove itself hands over and is removed.
func TestRemoveLeader(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 10)
		leader, others := c.Leader(), c.Followers()
		require.NoError(t, leader.Client.Remove(t.Context(), leader.ID))
		requireRemoved(t, leader)
		mustAddMany(t, others[0], "after", 5)

		comeBack(t, c, leader, others[1])
		requireRowCount(t, c.RequireEqualStores(), 15)
	})
}

// requireRemoved waits until the node says that it was removed, and requires that it serves no more.
func requireRemoved(t *testing.T, n *cluster.Node) {
	t.Helper()
	cluster.Eventually(t, 30*time.Second, n.ID+" is to notice that it was removed", func() error {
		if err := n.Client.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "removed") {
			return fmt.Errorf("its readiness is: %v", err)
		}
		return nil
	})
	_, err := n.Client.Add(t.Context(), record("on-a-removed-node"))
	requireCode(t, "node_removed", err)
	_, err = n.Client.Get(t.Context(), "kept-0000", model.ReadOptions{})
	requireCode(t, "node_removed", err)
	require.True(t, n.Running(), "it stays up to say so")
}

// comeBack joins a removed node again by a request to a member; if the removal took its data away, it
// would be sent everything.
func comeBack(t *testing.T, c *cluster.Cluster, n, member *cluster.Node) {
	t.Helper()
	_, err := member.Client.Join(t.Context(), n.ID, n.Address, true)
	require.NoError(t, err)
	c.WaitReady()
}

// A removed node whose data directory is emptied asks to be let in again when it is started.
func TestRemovedNodeComesBackEmptied(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	mustAddMany(t, c.Leader(), "kept", 10)
	removed := c.Followers()[0]
	require.NoError(t, c.Leader().Client.Remove(t.Context(), removed.ID))
	requireRemoved(t, removed)
	removed.Stop()
	require.NoError(t, os.RemoveAll(removed.Dir))
	removed.Start()
	c.WaitReady()
	requireRowCount(t, c.RequireEqualStores(), 10)
}
