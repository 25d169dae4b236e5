package system_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// A database that is lost is built anew from what the node's data directory has, be it the log alone
// or a snapshot and the log. If this fails, a dropped database costs a node, or worse, is taken for an
// empty registry.
func TestDatabaseDroppedWhileStopped(t *testing.T) {
	histories := map[string][]string{"from the log": nil, "from a snapshot": compacting()}
	for name, env := range histories {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, m mode) {
				c := cluster.Start(t, m.config(env...))
				mustAddMany(t, c.Leader(), "first", 60)
				n := c.Followers()[0]
				n.Stop()
				mustAddMany(t, c.Leader(), "while-it-was-away", 10)
				n.Database.Drop()
				n.Start()
				c.WaitReady()
				requireRowCount(t, c.RequireEqualStores(), 70)
			})
		})
	}
}

// A database that is dropped under a running node is built anew as soon as the node notices, which it
// does at the next write. If this fails, the node serves nothing for ever, or half of the records.
func TestDatabaseDroppedWhileRunning(t *testing.T) {
	roles := map[string]func(c *cluster.Cluster) *cluster.Node{
		"of a follower": func(c *cluster.Cluster) *cluster.Node { return c.Followers()[0] },
		"of the leader": func(c *cluster.Cluster) *cluster.Node { return c.Leader() },
	}
	for name, of := range roles {
		t.Run(name, func(t *testing.T) {
			c := cluster.Start(t, mode{shared: &shared}.config(compacting()...))
			mustCompact(t, c)
			of(c).Database.Drop()
			for i := range 3 {
				addWithin(t, c.Nodes[i], fmt.Sprintf("after-the-drop-%d", i), 10*time.Second)
			}
			c.WaitReady()
			requireRowCount(t, c.RequireEqualStores(), 73)
		})
	}
}

// All databases may be dropped at once: the Raft logs have everything. If this fails, one mistake on
// the MySQL server that all nodes share takes the registry away.
func TestAllDatabasesDropped(t *testing.T) {
	c := cluster.Start(t, mode{shared: &shared}.config())
	mustAddMany(t, c.Leader(), "kept", 30)
	for _, n := range c.Nodes {
		n.Kill()
		n.Database.Drop()
	}
	c.StartAll()
	c.WaitReady()
	requireRowCount(t, c.RequireEqualStores(), 30)
}

// A database that is put back from an older copy gets what it lacks from the log, or a snapshot, and
// nothing twice. If this fails, restoring a MySQL backup makes the node differ from the others.
func TestDatabasePutBackFromOlderCopy(t *testing.T) {
	histories := map[string][]string{"log goes back": nil, "log was cut off": compacting()}
	for name, env := range histories {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, m mode) {
				c := cluster.Start(t, m.config(env...))
				mustAddMany(t, c.Leader(), "old", 20)
				changed := mustAdd(t, c.Leader(), "changed")
				gone := mustAdd(t, c.Leader(), "gone")
				n := c.Followers()[0]
				n.Stop()
				n.Database.Save("older")
				n.Start()
				c.WaitReady()

				next := record("changed")
				next.VersionNo = "2.0.0"
				_, err := c.Leader().Client.Update(t.Context(), next, changed.Record.Revision)
				require.NoError(t, err)
				_, err = c.Leader().Client.Delete(t.Context(), "gone", gone.Record.Revision)
				require.NoError(t, err)
				mustAddMany(t, c.Leader(), "new", 40)
				n.Stop()
				n.Database.PutBack("older")
				n.Start()
				c.WaitReady()
				requireRowCount(t, c.RequireEqualStores(), 61)
			})
		})
	}
}

// Two nodes whose databases were exchanged must both refuse to start, and say whose each one is.
// Nothing may be merged or cleared. If this fails, a mistake in a DSN destroys two stores.
func TestDatabasesSwapped(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "mine", 10)
		c.RequireEqualStores()
		first, second := c.Nodes[1], c.Nodes[2]
		first.Stop()
		second.Stop()
		first.Database.Swap(second.Database)
		before := []cluster.Contents{mustRead(t, first), mustRead(t, second)}

		first.Start()
		second.Start()
		for _, n := range []*cluster.Node{first, second} {
			require.NotZero(t, n.Wait(10*time.Second), "the exit code of %s", n.ID)
			require.Contains(t, n.Log(), "storage belongs to another node")
			require.Regexp(t, `node .*node2.* node .*node3|node .*node3.* node .*node2`, lastLine(n))
			require.Regexp(t, "DROP DATABASE `[^`]+_"+n.ID+"`|delete .+/"+n.ID+"/versions.db", lastLine(n), "what gets rid of it")
		}
		require.Equal(t, before, []cluster.Contents{mustRead(t, first), mustRead(t, second)}, "what the databases hold")

		first.Database.Swap(second.Database)
		c.StartAll()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 10)
	})
}
