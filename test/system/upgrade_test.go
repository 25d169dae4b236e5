//go:build long

package system_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// upgradeTimeout bounds each step, of which one builds a store anew.
const upgradeTimeout = 30 * time.Second

// An upgrade from the release before goes node by node, under load, as CHANGELOG.md says. If this fails, it loses writes, or
// makes nodes of two releases differ, or stops a node that was not restarted yet at what it cannot read. The short log makes
// nodes of each release load snapshots of the other.
func TestRollingUpgrade(t *testing.T) {
	before, err := cluster.BuildReleaseBefore(programs())
	require.NoError(t, err)
	t.Run("one node", func(t *testing.T) { upgradeAlone(t, before) })
	onBoth(t, func(t *testing.T, m mode) { upgradeThree(t, m, before) })
}

// upgradeAlone upgrades the only node of a cluster, whose log goes back to its beginning.
func upgradeAlone(t *testing.T, before string) {
	c := cluster.Start(t, cluster.Config{Program: before, Nodes: 1})
	n := c.Nodes[0]
	mustAddMany(t, n, "before", 20)
	n.Stop()
	n.Exchange(program)
	requireRecoverable(t, n, 20)
	n.Start()
	c.WaitReady()
	cluster.Eventually(t, upgradeTimeout, "the history is to begin", func() error { return historyHasBegun(t, c) })
	mustAddMany(t, n, "after", 5)
	requireNoWayBack(t, c, n, before, `log entry \d+ cannot be read: .*run the release that wrote it`)
	requireRowCount(t, c.RequireEqualStores(), 25)
}

// requireRecoverable requires that this release takes the database of the one before, where that is all that is left, for what it is.
func requireRecoverable(t *testing.T, n *cluster.Node, records int) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, n.ID), os.DirFS(n.Dir)))
	for _, lost := range []string{"identity.json", "raft.db", "log", "snapshots"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, n.ID, lost)))
	}
	_, output := n.Run("recover", "--from-database", "--data-dir", dir)
	require.Regexp(t, fmt.Sprintf(`records +%d;`, records), output)
	require.NotContains(t, output, "NOTE")
}

func upgradeThree(t *testing.T, m mode, before string) {
	cfg := m.config("VERSIOND_RAFT_SNAPSHOTTHRESHOLD=100", "VERSIOND_RAFT_SNAPSHOTINTERVAL=1s", "VERSIOND_RAFT_TRAILINGLOGS=20")
	cfg.Program = before
	c := cluster.Start(t, cfg)
	load := cluster.StartLoad(t, c, "upgrade", 4)
	load.Await(t, 300, upgradeTimeout)
	change := func(n *cluster.Node, to string) {
		n.Stop()
		n.Exchange(to)
		load.Await(t, 150, upgradeTimeout) // what it lacks then, the log of the others has no more
		n.Start()
		c.WaitReady()
	}
	change(c.Nodes[0], program)
	change(c.Nodes[0], before) // until all have the new one, any may go back
	for _, n := range c.Nodes {
		requireNoHistory(t, c)
		change(n, program)
		load.Await(t, 100, upgradeTimeout)
		requireLedBy(t, c, n) // while the others follow, of which some are of the release before
		load.Await(t, 100, upgradeTimeout)
		requireAgreement(t, c)
	}
	cluster.Eventually(t, upgradeTimeout, "the history is to begin on every node", func() error { return historyHasBegun(t, c) })
	load.Await(t, 300, upgradeTimeout)
	requireAgreement(t, c)
	ledger := load.Stop()
	rows := c.RequireEqualStores()
	require.Empty(t, ledger.Violations(rows))
	t.Logf("%d writes acknowledged, %d of unknown outcome, longest gap %s", ledger.Acknowledged, ledger.Unknown, ledger.LongestGap)

	requireNoWayBack(t, c, c.Followers()[0], before, `cannot be read|entry \d+ of the snapshot begins with 0x4`)
	requireNotLetIn(t, c, before)
	c.RequireEqualStores()
}

// requireLedBy has a node lead.
func requireLedBy(t *testing.T, c *cluster.Cluster, n *cluster.Node) {
	t.Helper()
	cluster.Eventually(t, upgradeTimeout, n.ID+" is to lead", func() error {
		if c.Leader() == n {
			return nil
		}
		_, err := n.Client.Transfer(t.Context(), n.ID)
		return err
	})
}

// requireNoHistory requires that no node believes that changes are kept.
func requireNoHistory(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, n := range c.Nodes {
		status, err := n.Client.Status(t.Context())
		require.NoError(t, err)
		require.False(t, status.KeepsChanges, "%s of release %s", n.ID, status.Release)
	}
}

func historyHasBegun(t *testing.T, c *cluster.Cluster) error {
	for _, n := range c.Nodes {
		status, err := n.Client.Status(t.Context())
		if err != nil || !status.KeepsChanges {
			return fmt.Errorf("%s: %t, %w", n.ID, status.KeepsChanges, err)
		}
	}
	return nil
}

// requireAgreement requires that the nodes have the same records at an index that all of them have noted, and that none
// doubts its own.
func requireAgreement(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	cluster.Eventually(t, upgradeTimeout, "an index that every node has noted", func() error {
		noted := map[uint64][]model.Checksum{}
		for _, n := range c.Nodes {
			status, err := n.Client.Status(t.Context())
			if err != nil {
				return err
			}
			require.Empty(t, status.Divergence, n.ID)
			for _, point := range status.Content {
				noted[point.Index] = append(noted[point.Index], point.Checksum)
			}
		}
		for index, sums := range noted {
			if len(sums) == len(c.Nodes) {
				require.Equal(t, []model.Checksum{sums[0], sums[0], sums[0]}, sums, "at index %d", index)
				return nil
			}
		}
		return fmt.Errorf("there is none among %d", len(noted))
	})
}

// requireNoWayBack requires that a node that is put back to the release before ends and says why, and serves again once it
// has this one.
func requireNoWayBack(t *testing.T, c *cluster.Cluster, n *cluster.Node, before, says string) {
	t.Helper()
	n.Stop()
	n.Exchange(before)
	n.Start()
	require.NotZero(t, n.Wait(upgradeTimeout))
	require.Regexp(t, says, lastLine(n))
	n.Exchange(program)
	n.Start()
	c.WaitReady()
}

// requireNotLetIn requires that a blank node of the release before is told why it cannot be a member.
func requireNotLetIn(t *testing.T, c *cluster.Cluster, before string) {
	t.Helper()
	old := c.AddNode("node4")
	old.Exchange(before)
	old.Start()
	cluster.Eventually(t, upgradeTimeout, "node4 is to be refused", func() error {
		_, err := c.Nodes[0].Client.Join(t.Context(), old.ID, old.Address, true)
		if cluster.CodeOf(err) != "wrong_node" {
			return fmt.Errorf("it ended in: %w", err)
		}
		require.ErrorContains(t, err, "start it with the release that the other nodes run")
		return nil
	})
	c.Retire(old)
}
