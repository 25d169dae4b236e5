package system_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// A node that has lost its data directory comes back by itself: it is taken out, let in again without
// a vote, sent everything, and gets its vote back. If this fails, a broken disk needs an expert, or
// the first node begins a second cluster beside the first.
func TestDataDirRemoved(t *testing.T) {
	for _, id := range []string{"node1", "node2"} {
		t.Run(id, func(t *testing.T) {
			onBoth(t, func(t *testing.T, m mode) {
				c := cluster.Start(t, m.config())
				mustAddMany(t, c.Leader(), "kept", 30)
				before := c.RequireEqualStores()
				lost := c.Node(id)
				lost.Stop()
				mustAdd(t, c.Leader(), "while-it-was-away")
				require.NoError(t, os.RemoveAll(lost.Dir))
				lost.Start()
				c.WaitReady()
				require.Contains(t, lost.Log(), "taken into a cluster")
				requireRowCount(t, c.RequireEqualStores(), len(before)+1)
				mustAdd(t, lost, "written-on-it")
				requireRowCount(t, c.RequireEqualStores(), len(before)+2)
			})
		})
	}
}

// The first listed node begins no new cluster when it has lost everything and the others are away. If
// this fails, a restart of three machines in the wrong order replaces the registry by an empty one.
func TestEmptiedFirstNodeBeginsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 10)
		c.RequireEqualStores()
		c.StopAll()
		require.NoError(t, os.RemoveAll(c.Nodes[0].Dir))
		c.Nodes[0].Start()
		requireWaits(t, 3*time.Second, c.Nodes[0])
		c.StartAll()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 10)
	})
}

// A voter that has lost its Raft state must not vote before the cluster has admitted it. Here node1
// and node2 acknowledged writes that node3 has not: with the vote of an emptied node2, node3 would
// lead without them. If this fails, acknowledged writes are elected away.
func TestEmptiedVoterDoesNotVote(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "by-all", 10)
		c.RequireEqualStores()
		first, emptied, behind := c.Nodes[0], c.Nodes[1], c.Nodes[2]
		behind.Stop()
		mustAddMany(t, c.Leader(), "by-two", 10)
		first.Kill()
		emptied.Kill()
		require.NoError(t, os.RemoveAll(emptied.Dir))

		behind.Start()
		emptied.Start()
		requireWaits(t, 5*time.Second, emptied, behind)
		_, err := behind.Client.Add(t.Context(), record("without-quorum"))
		requireCode(t, "no_leader", err)

		first.Start()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 20)
	})
}

// requireWaits requires that the nodes stay up, not ready and without a leader for a while.
func requireWaits(t *testing.T, during time.Duration, nodes ...*cluster.Node) {
	t.Helper()
	for _, n := range nodes {
		cluster.Eventually(t, 10*time.Second, n.ID+" is to answer", func() error {
			_, err := n.Client.Status(t.Context())
			return err
		})
	}
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		for _, n := range nodes {
			require.True(t, n.Running(), n.ID)
			require.Error(t, n.Client.Ready(t.Context()), "%s is ready without a quorum", n.ID)
			status, err := n.Client.Status(t.Context())
			require.NoError(t, err)
			require.NotEqual(t, "leader", status.State, n.ID)
		}
	}
}

// A data directory that is put back from an older copy makes the database be ahead of it: the node
// builds its database anew and then gets what it lacks. If this fails, the node applies entries a
// second time to a store that has them already.
func TestDataDirPutBackFromOlderCopy(t *testing.T) {
	histories := map[string][]string{"log goes back": nil, "log was cut off": compacting()}
	for name, env := range histories {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, m mode) {
				c := cluster.Start(t, m.config(env...))
				mustAddMany(t, c.Leader(), "old", 20)
				n := c.Followers()[0]
				n.Stop()
				n.SaveDir("older")
				n.Start()
				c.WaitReady()
				mustAddMany(t, c.Leader(), "new", 40)
				c.RequireEqualStores()

				c.StopAll()
				n.PutBackDir("older")
				n.Start() // alone at first: the others would make its log longer again
				cluster.Eventually(t, 10*time.Second, "the database is to be found ahead", func() error {
					if !strings.Contains(n.Log(), "and the Raft log ends at") {
						return fmt.Errorf("the last line is: %s", lastLine(n))
					}
					return nil
				})
				c.StartAll()
				c.WaitReady()
				requireRowCount(t, c.RequireEqualStores(), 60)
			})
		})
	}
}

// Two nodes whose data directories were exchanged both refuse to start and say whose each one is. If
// this fails, one node votes with the memory of another.
func TestDataDirsSwapped(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 10)
		first, second := c.Nodes[1], c.Nodes[2]
		first.Stop()
		second.Stop()
		first.SwapDir(second)
		for own, other := range map[*cluster.Node]*cluster.Node{first: second, second: first} {
			own.Start()
			require.NotZero(t, own.Wait(10*time.Second), "the exit code of %s", own.ID)
			line := lastLine(own)
			require.Contains(t, line, fmt.Sprintf("that of node %q", other.ID))
			require.Contains(t, line, fmt.Sprintf("this is node %q", own.ID))
		}
		first.SwapDir(second)
		c.StartAll()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 10)
	})
}
