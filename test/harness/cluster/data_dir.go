package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

// SaveDir copies the node's data directory aside under a label, in place of an earlier copy and without the
// embedded database, which then stays where it is as MySQL's does. The node is stopped.
func (n *Node) SaveDir(label string) {
	n.t.Helper()
	aside := n.Dir + "." + label
	require.NoError(n.t, os.RemoveAll(aside))
	require.NoError(n.t, os.CopyFS(aside, os.DirFS(n.Dir)))
	files, err := filepath.Glob(filepath.Join(aside, sqliteFiles[0]+"*"))
	require.NoError(n.t, err)
	for _, file := range files {
		require.NoError(n.t, os.Remove(file))
	}
}

// PutBackDir puts the copy in place of the data directory, and leaves the database as it is. The node is
// stopped.
func (n *Node) PutBackDir(label string) {
	n.t.Helper()
	n.Database.Save("newer")
	n.replaceDir(n.Dir + "." + label)
	n.Database.PutBack("newer")
}

// EmptyDir removes all that the node keeps on its disk, an embedded database too. The node is stopped. The
// directory itself stays: it may be where a disk is mounted.
func (n *Node) EmptyDir() {
	n.t.Helper()
	entries, err := os.ReadDir(n.Dir)
	require.NoError(n.t, err)
	for _, entry := range entries {
		require.NoError(n.t, os.RemoveAll(filepath.Join(n.Dir, entry.Name())))
	}
}

// Snapshots returns the files of that name in the node's snapshots, of those that are finished: others have
// names that do not end in a number.
func (n *Node) Snapshots(file string) []string {
	n.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.Dir, "snapshots", "*[0-9]", file))
	require.NoError(n.t, err)
	return files
}

// AwaitSnapshot waits until the node has a finished snapshot.
func (n *Node) AwaitSnapshot(timeout time.Duration) {
	n.t.Helper()
	Eventually(n.t, timeout, n.ID+" is to have a snapshot", func() error {
		if len(n.Snapshots("state.bin")) == 0 {
			return fmt.Errorf("there is none in %s", n.Dir)
		}
		return nil
	})
}

// SwapDir exchanges the data directory with another node's. Both are stopped, and may be on disks of their own.
func (n *Node) SwapDir(other *Node) {
	n.t.Helper()
	mine := n.Dir + ".mine"
	require.NoError(n.t, os.CopyFS(mine, os.DirFS(n.Dir)))
	n.replaceDir(other.Dir)
	other.replaceDir(mine)
	require.NoError(n.t, os.RemoveAll(mine))
}

func (n *Node) replaceDir(by string) {
	n.t.Helper()
	n.EmptyDir()
	require.NoError(n.t, os.CopyFS(n.Dir, os.DirFS(by)))
}

// LogFiles returns the names of the files that the node's Raft log is in.
func (n *Node) LogFiles() map[string]bool {
	n.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.Dir, "log", "*.wal"))
	require.NoError(n.t, err)
	names := map[string]bool{}
	for _, file := range files {
		names[file] = true
	}
	return names
}
