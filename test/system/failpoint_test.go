//go:build long

package system_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/failpoint"
	"versiond/test/harness/cluster"
)

var (
	applySteps = []string{
		failpoint.ApplyDecided, failpoint.ApplyWritten, failpoint.ApplyMoved, failpoint.ApplyCommitted,
		failpoint.ApplyPublished, failpoint.ApplyAnswered,
	}
	cacheSteps    = []string{failpoint.CacheWritten}
	snapshotSteps = []string{failpoint.SnapshotOpened, failpoint.SnapshotWritten}
	restoreSteps  = []string{failpoint.RestoreMarked, failpoint.RestoreCleared, failpoint.RestoreFilled, failpoint.RestoreFinished}
)

// A node that dies at any step of an apply, of a snapshot or of loading one comes back to the same state
// as the others. If this fails, a crash at the wrong moment makes a node lose a write, do one twice, or
// serve half of a snapshot.
func TestNodeKilledAtEveryStep(t *testing.T) {
	program, err := cluster.BuildWithFailpoints(programs())
	require.NoError(t, err)
	onBoth(t, func(t *testing.T, m mode) {
		cfg := m.config("VERSIOND_RAFT_SNAPSHOTTHRESHOLD=64", "VERSIOND_RAFT_TRAILINGLOGS=32", "VERSIOND_RAFT_SNAPSHOTINTERVAL=1s")
		cfg.Program = program
		c := cluster.Start(t, cfg)
		load := cluster.StartLoad(t, c, "step", 6)
		load.Await(t, 200, 60*time.Second)
		steps := append(append([]string{}, applySteps...), snapshotSteps...)
		if m.shared != nil {
			steps = append(steps, cacheSteps...)
		}
		for i, step := range steps {
			n := c.Nodes[i%len(c.Nodes)]
			n.Kill()
			dieAt(t, c, n, step+":2")
		}
		for i, step := range restoreSteps {
			n := c.Nodes[i%len(c.Nodes)]
			n.AwaitSnapshot(60 * time.Second) // the one that it restores
			n.Kill()
			n.Database.Drop()
			dieAt(t, c, n, step)
		}
		load.Await(t, 100, 60*time.Second)
		ledger := load.Stop()
		c.WaitReady()
		rows := c.RequireEqualStores()
		t.Logf("%d writes acknowledged, %d of unknown outcome, %d refused; %d records", ledger.Acknowledged, ledger.Unknown, ledger.Refused, len(rows))
		require.Empty(t, ledger.Violations(rows))
	})
}

// dieAt starts a node that dies at a step, and then for good.
func dieAt(t *testing.T, c *cluster.Cluster, n *cluster.Node, step string) {
	t.Helper()
	t.Logf("%s dies at %s", n.ID, step)
	n.StartWith("FAILPOINT=" + step)
	require.Equal(t, -1, n.Wait(60*time.Second), "it was not killed")
	n.Start()
	c.WaitReady()
}

// What kills the program on command must not be in the one that ships.
func TestShippedProgramHasNoFailpoints(t *testing.T) {
	shipped, err := cluster.BuildAsShipped(programs())
	require.NoError(t, err)
	tagged, err := cluster.BuildWithFailpoints(programs())
	require.NoError(t, err)
	for _, trace := range []string{"FAILPOINT", failpoint.ApplyDecided, failpoint.RestoreFinished} {
		require.False(t, bytes.Contains(mustReadFile(t, shipped), []byte(trace)), trace)
		require.True(t, bytes.Contains(mustReadFile(t, tagged), []byte(trace)), "the test would not see %s", trace)
	}
}

func mustReadFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}
