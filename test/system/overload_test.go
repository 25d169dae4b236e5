//go:build long

package system_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/load/crowd"
)

const (
	idleClients = 5000
	slowClients = 100
	// floodClients write at once, on connections of their own: more than ten times what may wait and be on its
	// way in the time that a leader takes to be missed.
	floodClients = 3000
	// memoryMax is what a node may use beyond what it used before, whatever its clients do.
	memoryMax = 384 << 20
)

// mustStartShipped starts a cluster of the program as it ships: the race detector would be what fills memory.
func mustStartShipped(t *testing.T) *cluster.Cluster {
	t.Helper()
	program, err := cluster.BuildAsShipped(programs())
	require.NoError(t, err)
	return cluster.Start(t, cluster.Config{Program: program})
}

// Clients that hold a node's connections, dribble into them or read nothing must cost the others nothing.
// If this fails, one careless or ill-meaning client takes a node away from everybody.
func TestIdleAndSlowClientsCostNothing(t *testing.T) {
	c := mustStartShipped(t)
	n := c.Followers()[0]
	mustAddMany(t, n, "slow", 200)
	before := n.ResidentBytes()
	unwanted := crowd.New(t)
	defer unwanted.Close()
	unwanted.Idle(n, idleClients)
	held := n.ResidentBytes()
	unwanted.Slow(n, slowClients)
	results := serveHealthyClient(t, n, 8*time.Second)
	during := n.ResidentBytes()
	t.Logf("memory: %d MiB, with %d idle connections %d MiB, with slow ones %d MiB; %s", before>>20, idleClients, held>>20, during>>20, results)
	results.require(t)
	require.Less(t, during-before, int64(memoryMax))
	c.RequireEqualStores()
}

// More writes than a cluster can take must be refused at once and take no memory; what was
// acknowledged meanwhile is there, and afterwards everything is as before. If this fails, a burst of
// writes ends nodes, one after the other.
func TestFloodOfWritesIsRefused(t *testing.T) {
	c := mustStartShipped(t)
	n := c.Followers()[0]
	mustAdd(t, n, "before")
	before := n.ResidentBytes()
	var memory []int64
	for range 4 {
		leader := c.Leader()
		if leader == n {
			n = c.Followers()[0]
		}
		leader.Pause() // from now on writes wait
		crowd.Flood(t, n, floodClients).Require(t)
		memory = append(memory, n.ResidentBytes())
		leader.Resume()
		c.WaitReady()
		mustRead := mustGetRecord(t, n, "before")
		require.Equal(t, "1.0.0", mustRead.Record.VersionNo)
	}
	t.Logf("memory after each wave in MiB: %v", mebibytes(memory))
	for _, after := range memory {
		require.Less(t, after-before, int64(memoryMax))
	}
	c.RequireEqualStores()
}

func mebibytes(sizes []int64) (in []int64) {
	for _, size := range sizes {
		in = append(in, size>>20)
	}
	return in
}

func mustGetRecord(t *testing.T, n *cluster.Node, id string) (result model.Result) {
	t.Helper()
	cluster.Eventually(t, 20*time.Second, "a read after the flood", func() (err error) {
		result, err = n.Client.Get(t.Context(), id, model.ReadOptions{Level: model.LevelLinearizable})
		return err
	})
	return result
}

// healthy is what a client saw that asks one thing after the other.
type healthy struct {
	asked, failed int
	slowest       time.Duration
	last          error
}

func (h healthy) String() string {
	return fmt.Sprintf("of %d requests of a healthy client %d failed, the slowest took %s, last error %v", h.asked, h.failed, h.slowest.Round(time.Millisecond), h.last)
}

func (h healthy) require(t *testing.T) {
	t.Helper()
	require.Greater(t, h.asked, 20)
	require.LessOrEqual(t, h.failed*20, h.asked, "more than one in twenty failed: %v", h.last)
	require.Less(t, h.slowest, 5*time.Second)
}

// serveHealthyClient writes and reads on a node for a while.
func serveHealthyClient(t *testing.T, n *cluster.Node, during time.Duration) (h healthy) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); h.asked += 2 {
		began := time.Now()
		_, errWrite := n.Client.Add(t.Context(), record(fmt.Sprintf("healthy-%d", h.asked)))
		_, errRead := n.Client.Get(t.Context(), "slow-0001", model.ReadOptions{Level: model.LevelLinearizable})
		for _, err := range []error{errWrite, errRead} {
			if err != nil {
				h.failed, h.last = h.failed+1, err
			}
		}
		h.slowest = max(h.slowest, time.Since(began))
	}
	return h
}
