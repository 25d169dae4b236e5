//go:build long

package system_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	importBatches  = 30
	importBatchers = 3
	// importSegmentBytes makes these batches fill a dozen files of the log.
	importSegmentBytes = 1 << 19
	importFiles        = 8
)

// A cluster that was filled by batches starts again after kill -9 of every node, with all of it. If this fails, sound
// nodes refuse to start, and an operator is told to throw away what was acknowledged.
//
// BATCHES=1100 makes it write that many, to log files of the usual size.
func TestImportByBatchesAndKillOfAllNodes(t *testing.T) {
	batches, env := importBatches, fmt.Sprintf("VERSIOND_RAFT_SEGMENTBYTES=%d", importSegmentBytes)
	if text := os.Getenv("BATCHES"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "BATCHES")
		batches, env = n, "VERSIOND_LOG_LEVEL=info"
	}
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config(env))
		load := cluster.StartLoadWith(t, c, cluster.LoadOptions{Prefix: "import", Batchers: importBatchers})
		load.Await(t, batches, 10*time.Minute)
		for _, n := range c.Nodes {
			n.Signal(os.Kill) // all at once: waiting for each would give the others time
		}
		for _, n := range c.Nodes {
			n.Wait(5 * time.Second)
			require.GreaterOrEqual(t, len(n.LogFiles()), importFiles, "files of the log of %s: the test tested nothing", n.ID)
		}
		load.Pause() // of so many large batches a busy machine may have no node catch up
		c.StartAll()
		c.WaitReady()
		load.Resume()
		load.Await(t, 1, 30*time.Second)
		ledger := load.Stop()
		rows := c.RequireEqualStores()
		t.Logf("%d batches acknowledged; %d records", ledger.Acknowledged, len(rows))
		require.Empty(t, ledger.Violations(rows))
	})
}
