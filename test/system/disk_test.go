//go:build long

package system_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
	"versiond/test/harness/disk"
)

const smallDisk = 96 << 20

// smallSegmentBytes is what a file of the log has here: room that is there already has to be filled before a full disk is noticed.
const smallSegmentBytes = 2 << 20

// A leader whose disk is full loses its lead within seconds and says what to do; the others go on, and its
// clients are served by them. When there is room it catches up by itself. If this fails, one full disk
// stops all writes, kills a process, or costs records.
func TestLeaderDiskFull(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.New(t, m.config(fmt.Sprintf("VERSIOND_RAFT_SEGMENTBYTES=%d", smallSegmentBytes)))
		disks := map[*cluster.Node]*disk.Disk{}
		for _, n := range c.Nodes {
			disks[n] = disk.Must(t, n.Dir, smallDisk)
		}
		c.StartAll()
		c.WaitReady()
		load := cluster.StartLoad(t, c, "full", outageWorkers)
		load.Await(t, 200, 30*time.Second)

		full := c.Leader()
		disks[full].Fill(t)
		c.FillLog(t, smallSegmentBytes)
		waitLogHeld(t, full)
		began := time.Now()
		cluster.Eventually(t, 5*time.Second*cluster.Slowness, "another node is to lead", func() error {
			return ledByOther(t, c, full)
		})
		t.Logf("another node leads %s after the log was found full", time.Since(began))
		load.Await(t, 200, 30*time.Second)
		waitServed(t, full)
		require.True(t, full.Running())
		require.EqualValues(t, 1, mustScrape(t, full.Client).sum("versiond_log_held"))

		disks[full].Clear(t)
		c.WaitReady()
		load.Await(t, 200, 30*time.Second)
		ledger := load.Stop()
		rows := c.RequireEqualStores()
		t.Logf("%d writes acknowledged, %d of unknown outcome, %d refused, longest gap %s", ledger.Acknowledged, ledger.Unknown, ledger.Refused, ledger.LongestGap)
		require.Empty(t, ledger.Violations(rows))
		require.Equal(t, 1, strings.Count(full.Log(), "the Raft log cannot be written;"), "it is said once")
		require.Equal(t, 1, strings.Count(full.Log(), "the Raft log can be written again"))
	})
}

// ledByOther asks the nodes that are well who leads.
func ledByOther(t *testing.T, c *cluster.Cluster, not *cluster.Node) error {
	for _, n := range c.Nodes {
		if n == not {
			continue
		}
		status, err := n.Client.Status(t.Context())
		if err == nil && status.State == "leader" {
			return nil
		}
	}
	return fmt.Errorf("nobody but %s does", not.ID)
}

// waitLogHeld waits until the node says that its disk is full, and where to make room.
func waitLogHeld(t *testing.T, n *cluster.Node) {
	t.Helper()
	cluster.Eventually(t, 30*time.Second, n.ID+" is to say that its disk is full", func() error {
		_, answer, err := n.Client.Send(t.Context(), false, http.MethodGet, "/readyz", nil, "")
		if err == nil && !strings.Contains(string(answer), "no space left on device; make room in "+n.Dir) {
			err = fmt.Errorf("it says %s", answer)
		}
		return err
	})
}

// waitServed waits until a write that is sent to the node is decided, by whoever leads. An update of
// nothing leaves nothing behind.
func waitServed(t *testing.T, n *cluster.Node) {
	t.Helper()
	cluster.Eventually(t, 10*time.Second, n.ID+" is to pass a write on", func() error {
		_, err := n.Client.Update(t.Context(), record("never-there"), 0)
		if cluster.CodeOf(err) != "not_found" {
			return fmt.Errorf("it ended in: %v", err)
		}
		return nil
	})
}
