package system_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/test/harness/cluster"
)

const (
	recoverWorkers = 8
	recoverWrites  = 400
)

// When a majority is lost for good, the survivor with the longest log must give back every write that
// was acknowledged, as a cluster of its own that the others join with emptied directories, and that an
// old one cannot come back to unnoticed. If this fails, the worst day ends with an empty registry, or
// with two that are taken for one.
func TestRecoverFromOneSurvivor(t *testing.T) {
	onAll(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config("VERSIOND_RAFT_SNAPSHOTTHRESHOLD=64", "VERSIOND_RAFT_TRAILINGLOGS=32", "VERSIOND_RAFT_SNAPSHOTINTERVAL=1s"))
		load := cluster.StartLoad(t, c, "lost", recoverWorkers)
		load.Await(t, recoverWrites, time.Minute)
		for _, n := range c.Nodes {
			n.Signal(os.Kill)
		}
		for _, n := range c.Nodes {
			n.Wait(5 * time.Second)
		}
		ledger := load.Stop()

		survivor, others := longestLog(t, c)
		old := others[0].Dir + ".old"
		require.NoError(t, os.Rename(others[0].Dir, old))
		require.NoError(t, os.RemoveAll(others[1].Dir))
		before := mustRead(t, survivor)
		mustRecover(t, survivor)
		require.Equal(t, before, mustRead(t, survivor), "the live database was written to")
		survivor.Start()
		survivor.WaitReady()

		requireOldNodeRefused(t, survivor, others[0], old)
		others[0].Start()
		others[1].Start()
		c.WaitReady()
		rows := c.RequireEqualStores()
		t.Logf("%d writes acknowledged, %d of unknown outcome; %d records", ledger.Acknowledged, ledger.Unknown, len(rows))
		require.Empty(t, ledger.Violations(rows))
		require.Positive(t, ledger.Unknown, "no kill met a write on its way")
		mustAdd(t, others[1], "after")
		requireRowCount(t, c.RequireEqualStores(), len(rows)+1)
	})
}

var logEnd = regexp.MustCompile(`log +ends at index (\d+), term (\d+)`)

// longestLog asks every node what recover would do, and picks the one that Raft would let lead: it has
// everything that was committed.
func longestLog(t *testing.T, c *cluster.Cluster) (survivor *cluster.Node, others []*cluster.Node) {
	t.Helper()
	var newest [2]int
	for _, n := range c.Nodes {
		code, output := n.Run("recover")
		require.Equal(t, 2, code, output)
		end := logEnd.FindStringSubmatch(output)
		require.NotNil(t, end, output)
		index, _ := strconv.Atoi(end[1]) // the pattern lets only digits pass
		term, _ := strconv.Atoi(end[2])
		if survivor == nil || term > newest[0] || term == newest[0] && index > newest[1] {
			survivor, newest = n, [2]int{term, index}
		}
	}
	for _, n := range c.Nodes {
		if n != survivor {
			others = append(others, n)
		}
	}
	return survivor, others
}

// mustRecover makes sure that nothing changes without --yes, and recovers. It returns the path of the
// backup.
func mustRecover(t *testing.T, n *cluster.Node, args ...string) (backup string) {
	t.Helper()
	before := filesBelow(t, filepath.Dir(n.Dir))
	code, output := n.Run(append([]string{"recover"}, args...)...)
	require.Equal(t, 2, code, output)
	require.Contains(t, output, "add --yes")
	require.Equal(t, before, filesBelow(t, filepath.Dir(n.Dir)), "something was changed without --yes")

	code, output = n.Run(append([]string{"recover", "--yes"}, args...)...)
	require.Zero(t, code, output)
	found := regexp.MustCompile(`backup +(\S+)`).FindStringSubmatch(output)
	require.NotNil(t, found, output)
	require.DirExists(t, found[1])
	return found[1]
}

// filesBelow returns a hash of every file, but for what a process has for itself.
func filesBelow(t *testing.T, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" || strings.HasSuffix(name, "-shm") {
			return err
		}
		data, err := os.ReadFile(name)
		files[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	}))
	return files
}

// requireOldNodeRefused starts a node on its old directory, which must neither get in nor be silent
// about it, and empties the directory.
func requireOldNodeRefused(t *testing.T, member, n *cluster.Node, old string) {
	t.Helper()
	require.NoError(t, os.Rename(old, n.Dir))
	n.Start()
	cluster.Eventually(t, 30*time.Second, n.ID+" is to be told that it was left behind", func() error {
		if err := n.Client.Ready(t.Context()); err == nil || !strings.Contains(n.Log(), "was given up and recovered from "+member.ID) {
			return fmt.Errorf("it is not: %v", err)
		}
		return nil
	})
	require.Contains(t, n.Log(), "empty its data directory")
	_, err := member.Client.Join(t.Context(), n.ID, n.Address, true)
	requireCode(t, "wrong_node", err)
	require.ErrorContains(t, err, "empty its data directory")
	peers, err := member.Client.Peers(t.Context())
	require.NoError(t, err)
	require.Len(t, peers.Members, 1, "the old node got in")
	n.Stop()
	require.NoError(t, os.RemoveAll(n.Dir))
}

// A database that was kept must make a cluster when every data directory is gone. If this fails, a
// registry is lost whose records are all there.
func TestRecoverFromDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 40)
		_, err := c.Leader().Client.Delete(t.Context(), "kept-0007", 0)
		require.NoError(t, err)
		rows := c.RequireEqualStores()
		for _, n := range c.Nodes {
			n.Kill()
		}
		kept := c.Nodes[1]
		if m.shared == nil {
			kept.Database.Save("kept")
		}
		for _, n := range c.Nodes {
			require.NoError(t, os.RemoveAll(n.Dir))
		}
		code, output := kept.Run("recover", "--yes")
		require.Equal(t, 1, code, output)
		require.Contains(t, output, "--from-database")
		if m.shared == nil {
			code, output = kept.Run("recover", "--from-database", "--yes")
			require.Equal(t, 1, code, output)
			require.Contains(t, output, "there is no versions.db")
			require.NoError(t, os.MkdirAll(kept.Dir, 0o700))
			kept.Database.PutBack("kept")
		}
		mustRecover(t, kept, "--from-database")
		code, output = kept.Run("recover", "--from-database", "--yes")
		require.Equal(t, 1, code, output)
		require.Contains(t, output, "without --from-database")

		kept.Start()
		kept.WaitReady()
		c.StartAll()
		c.WaitReady()
		require.Equal(t, rows, c.RequireEqualStores())
		require.Greater(t, mustAdd(t, c.Nodes[0], "after").Record.Revision, rows[len(rows)-1].Revision)
		requireRowCount(t, c.RequireEqualStores(), len(rows)+1)
	})
}

// A power failure may take the database together with the quorum. The log has everything that is in it.
func TestRecoverWithADamagedDatabase(t *testing.T) {
	c := cluster.Start(t, cluster.Config{Program: program})
	mustAddMany(t, c.Leader(), "kept", 40)
	rows := c.RequireEqualStores()
	for _, n := range c.Nodes {
		n.Kill()
	}
	survivor := c.Nodes[0]
	file := filepath.Join(survivor.Dir, db.SQLiteFile)
	require.NoError(t, os.RemoveAll(file+"-wal"))
	require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("no database "), 1000), 0o600))
	mustRecover(t, survivor)
	survivor.Start()
	survivor.WaitReady()
	requireRowCount(t, c.RequireEqualStores(), len(rows))
}

// A recovery that was a mistake can be undone with what it backed up. If this fails, the backups are
// of no use, which nobody finds out before they are needed.
func TestRecoveryPutBack(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 20)
		rows := c.RequireEqualStores()
		c.StopAll()
		n := c.Nodes[2]
		n.Database.Save("before-recover") // as the operator is told to
		backup := mustRecover(t, n)
		n.Start()
		n.WaitReady()
		mustAdd(t, n, "in-the-new-cluster")
		n.Stop()

		require.NoError(t, os.RemoveAll(n.Dir))
		require.NoError(t, os.Rename(backup, n.Dir))
		n.Database.PutBack("before-recover")
		c.StartAll()
		c.WaitReady()
		require.Equal(t, rows, c.RequireEqualStores())
	})
}

// Whoever uses recover where it does not belong must be told why, and nothing may change. If this
// fails, a mistyped command makes a second cluster beside one that works.
func TestRecoverWhereItDoesNotBelong(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	mustAddMany(t, c.Leader(), "kept", 5)
	n := c.Followers()[0]
	refused := func(says string, args ...string) {
		t.Helper()
		code, output := n.Run(append([]string{"recover", "--yes"}, args...)...)
		require.Equal(t, 1, code, output)
		require.Contains(t, output, says)
	}
	refused(fmt.Sprintf("in use by process %d", n.Pid()))
	refused("Raft state, which has more than the database", "--from-database", "--data-dir", copyOf(t, n))
	n.Stop()
	before := filesBelow(t, n.Dir)
	refused("it is not lost; start this node")
	refused("there is nothing to recover from", "--data-dir", filepath.Join(n.Dir, "nowhere"))
	require.NoDirExists(t, filepath.Join(n.Dir, "nowhere"))
	require.Equal(t, before, filesBelow(t, n.Dir))
	c.Node("node1").Run("recover", "--node", "node9")
	n.Start()
	c.WaitReady()
	requireRowCount(t, c.RequireEqualStores(), 5)
}

// copyOf copies a node's directory to where --data-dir may name it.
func copyOf(t *testing.T, n *cluster.Node) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, n.ID), os.DirFS(n.Dir)))
	return dir
}
