//go:build long

package system_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	storeFaultWorkers = 6
	// roundTripDelay makes a transaction of some milliseconds take half a second.
	roundTripDelay = 100 * time.Millisecond
	// leadershipMovesWithin is what users are promised.
	leadershipMovesWithin = 5 * time.Second
)

// storeFault is something that happens to the database of one node.
type storeFault struct {
	begin, end func(l *cluster.Lines) error
	// silent faults leave the database answering, if slowly.
	silent bool
}

var storeFaults = map[string]storeFault{
	"stopped": {begin: func(l *cluster.Lines) error { return l.Server.Stop() }, end: func(l *cluster.Lines) error { return l.Server.Start() }},
	"paused":  {begin: func(l *cluster.Lines) error { return l.Server.Pause() }, end: func(l *cluster.Lines) error { return l.Server.Resume() }},
	"refused": {begin: func(l *cluster.Lines) error { return l.MySQL.Refuse() }, end: func(l *cluster.Lines) error { return l.MySQL.Heal() }},
	"slow": {
		begin:  func(l *cluster.Lines) error { l.MySQL.Slow(roundTripDelay); return nil },
		end:    func(l *cluster.Lines) error { return l.MySQL.Heal() },
		silent: true,
	},
}

// A leader whose own database is gone, hangs, or is a hundred times slower hands over to one whose is
// well: writes go on, the node says what is wrong, and comes back by itself. If this fails, one broken
// database stops the registry although two others are well.
func TestDatabaseOfTheLeader(t *testing.T) {
	for name, fault := range storeFaults {
		t.Run(name, func(t *testing.T) {
			c := cluster.Start(t, perNodeConfig())
			load := cluster.StartLoad(t, c, "leader", storeFaultWorkers)
			load.Await(t, 100, 30*time.Second)
			old := c.Leader()
			t.Cleanup(func() { _ = old.Lines.Server.Resume() }) // a frozen server would hold up the end of a failed test

			require.NoError(t, fault.begin(old.Lines))
			began := time.Now()
			requireLeadershipMoves(t, c, old, leadershipMovesWithin*cluster.Slowness)
			t.Logf("leadership moved after %s", time.Since(began))
			load.Await(t, 100, 20*time.Second)
			if !fault.silent {
				requireSaysStore(t, old)
			}
			require.NoError(t, fault.end(old.Lines))
			requireWhole(t, c, load)
		})
	}
}

func requireLeadershipMoves(t *testing.T, c *cluster.Cluster, from *cluster.Node, within time.Duration) {
	t.Helper()
	cluster.Eventually(t, within, "leadership is to move away from "+from.ID, func() error {
		for _, n := range c.Nodes {
			status, err := n.Client.Status(t.Context())
			if err == nil && n != from && status.State == "leader" {
				return nil
			}
		}
		return fmt.Errorf("no other node leads")
	})
}

// requireSaysStore requires that the node is not ready, and that the database is what it blames.
func requireSaysStore(t *testing.T, n *cluster.Node) {
	t.Helper()
	cluster.Eventually(t, 10*time.Second, n.ID+" is to say why it is not ready", func() error {
		err := n.Client.Ready(t.Context())
		if err == nil {
			return fmt.Errorf("it is ready")
		}
		require.Contains(t, err.Error(), `"store"`)
		require.Contains(t, err.Error(), "database does not answer")
		return nil
	})
}

// requireWhole stops the load and requires that all nodes come level, with all that was acknowledged.
func requireWhole(t *testing.T, c *cluster.Cluster, load *cluster.Load) {
	t.Helper()
	load.Await(t, 20, 30*time.Second)
	ledger := load.Stop()
	c.WaitReady()
	rows := c.RequireEqualStores()
	t.Logf("%d writes acknowledged, %d of unknown outcome, %d refused; the longest time without one was %s", ledger.Acknowledged, ledger.Unknown, ledger.Refused, ledger.LongestGap)
	require.Empty(t, ledger.Violations(rows))
}
