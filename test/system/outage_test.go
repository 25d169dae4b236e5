package system_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
)

const outageWorkers = 8

// ownServers returns servers that a test may break without harm to others.
func ownServers(t *testing.T) *servers.Shared {
	t.Helper()
	own := &servers.Shared{}
	t.Cleanup(func() { _ = own.Close() })
	return own
}

// A MySQL server that all nodes share may freeze or be killed: writes are refused meanwhile, in words
// that promise that nothing was done, nobody loses leadership over it, and the nodes recover by
// themselves. If this fails, a database restart needs a restart of every node, or costs records.
func TestDatabaseServerGoesAway(t *testing.T) {
	outages := map[string]struct {
		begin, end func(s *servers.SQLServer) error
	}{
		"frozen": {(*servers.SQLServer).Pause, (*servers.SQLServer).Resume},
		"killed": {(*servers.SQLServer).Kill, (*servers.SQLServer).Start},
	}
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			own := ownServers(t)
			c := cluster.Start(t, mode{shared: own}.config())
			load := cluster.StartLoad(t, c, "outage", outageWorkers)
			load.Await(t, 200, 30*time.Second)

			require.NoError(t, outage.begin(own.SQL(t)))
			for _, n := range c.Nodes {
				waitRefused(t, n)
			}
			require.NoError(t, outage.end(own.SQL(t)))
			load.Await(t, 200, 40*time.Second)

			ledger := load.Stop()
			c.WaitReady()
			rows := c.RequireEqualStores()
			t.Logf("%d writes acknowledged, %d of unknown outcome, %d refused", ledger.Acknowledged, ledger.Unknown, ledger.Refused)
			require.Empty(t, ledger.Violations(rows))
		})
	}
}

// waitRefused waits until the node refuses writes for want of a store, and is not ready.
func waitRefused(t *testing.T, n *cluster.Node) {
	t.Helper()
	missing := model.VersionDB{ID: "never-there", VersionNo: "1", Platform: "linux"}
	cluster.Eventually(t, 20*time.Second, n.ID+" is to refuse writes", func() error {
		_, err := n.Client.Update(t.Context(), missing, 0) // an update of nothing leaves nothing behind
		if cluster.CodeOf(err) != "store_unavailable" {
			return fmt.Errorf("a write ended in: %v", err)
		}
		return nil
	})
	require.Error(t, n.Client.Ready(t.Context()), n.ID)
	require.True(t, n.Running(), n.ID)
}

// Redis is a cache: when it dies, freezes, comes back empty or with an old dump, writes and reads go
// on and are right. If this fails, a cache decides what a registry answers.
func TestRedisGoesAway(t *testing.T) {
	own := ownServers(t)
	c := cluster.Start(t, mode{shared: own}.config())
	load := cluster.StartLoad(t, c, "cache", outageWorkers)
	steps := []func(s *servers.RedisServer) error{
		(*servers.RedisServer).Pause, (*servers.RedisServer).Resume, (*servers.RedisServer).Kill, (*servers.RedisServer).Start,
	}
	for _, step := range steps {
		load.Await(t, 200, 30*time.Second)
		require.NoError(t, step(own.Redis(t)))
	}
	load.Await(t, 200, 30*time.Second)
	ledger := load.Stop()
	rows := c.RequireEqualStores()
	require.Empty(t, ledger.Violations(rows))
}
