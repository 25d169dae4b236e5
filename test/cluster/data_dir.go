package cluster

import (
	"os"
	"path/filepath"
	"strings"

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
	n.Database.Save("kept")
	n.EmptyDir()
	require.NoError(n.t, os.CopyFS(n.Dir, os.DirFS(n.Dir+"."+label)))
	n.Database.PutBack("kept")
}

// EmptyDir removes all that the node keeps on its disk, an embedded database too. The node is stopped.
func (n *Node) EmptyDir() { n.t.Helper(); require.NoError(n.t, os.RemoveAll(n.Dir)) }

// SwapDir exchanges the data directory with another node's. Both are stopped.
func (n *Node) SwapDir(other *Node) {
	n.t.Helper()
	aside := strings.TrimSuffix(n.Dir, "/") + ".aside"
	require.NoError(n.t, os.Rename(n.Dir, aside))
	require.NoError(n.t, os.Rename(other.Dir, n.Dir))
	require.NoError(n.t, os.Rename(aside, other.Dir))
}
