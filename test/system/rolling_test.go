package system_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// rollingGapMax is how long clients may see no write acknowledged while all nodes are restarted one by
// one: a leader that stops hands over first. The race detector slows everything down.
const rollingGapMax = 2 * time.Second

// An upgrade restarts node by node, under load. If this fails, it costs writes, or a pause that a
// handover would have saved, or its log alarms whoever reads it.
func TestRollingRestart(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		load := cluster.StartLoad(t, c, "rolling", 6)
		load.Await(t, 200, 30*time.Second)
		for _, n := range c.Nodes {
			n.Stop()
			n.Start()
			c.WaitReady()
			load.Await(t, 100, 30*time.Second)
		}
		ledger := load.Stop()
		rows := c.RequireEqualStores()
		t.Logf("%d writes acknowledged, %d of unknown outcome, longest gap %s", ledger.Acknowledged, ledger.Unknown, ledger.LongestGap)
		require.Empty(t, ledger.Violations(rows))
		require.Less(t, ledger.LongestGap, rollingGapMax)
		c.StopAll()
		for _, n := range c.Nodes {
			requireCalm(t, n.Log())
		}
	})
}

// A join that was mistyped must cost the cluster nothing: after each of these it still takes writes
// with one node down. If this fails, a typing mistake has changed who makes a quorum.
func TestWrongJoinsCostNothing(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{name: "embedded"}.config())
	stranger := cluster.Start(t, cluster.Config{Program: program, Nodes: 1})
	down := c.Followers()[0]
	asked := c.Leader()
	for i, wrong := range []struct{ name, id, address, code string }{
		{"closed port", "node9", cluster.FreeAddress(t), "node_unreachable"},
		{"no such host", "node9", "no-such-host.invalid:7001", "node_unreachable"},
		{"wrong id", "node9", c.Nodes[1].Address, "wrong_node"},
		{"foreign cluster", stranger.Nodes[0].ID, stranger.Nodes[0].Address, "wrong_node"},
		{"foreign cluster under a free id", "node9", stranger.Nodes[0].Address, "wrong_node"},
		{"the leader's own address", "node9", asked.Address, "wrong_node"},
		{"taken id", down.ID, cluster.FreeAddress(t), "node_unreachable"},
		{"taken id at a member's address", down.ID, asked.Address, "wrong_node"},
		{"every interface", "node9", "0.0.0.0:7001", "invalid_request"},
		{"no port", "node9", "localhost", "invalid_request"},
		{"garbage", "NODE!", "::::", "invalid_request"},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			began := time.Now()
			_, err := asked.Client.Join(t.Context(), wrong.id, wrong.address, true)
			requireCode(t, wrong.code, err)
			require.Less(t, time.Since(began), 10*time.Second)
			peers, err := asked.Client.Peers(t.Context())
			require.NoError(t, err)
			require.Len(t, peers.Members, 3)
			down.Kill()
			addWithin(t, c.Leader(), "after-"+string(rune('a'+i)), 10*time.Second)
			down.Start()
			c.WaitReady()
		})
	}
}
