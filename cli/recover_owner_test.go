package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A recovery with sudo, on a machine whose node has a user of its own, would leave what that node cannot open.
func TestRecoverAsRootLeavesOthersDirectoriesAlone(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "node1")
	require.NoError(t, os.Mkdir(own, 0o700))
	euid, owner := os.Geteuid(), os.Geteuid()
	if euid == 0 {
		owner = 65532
		require.NoError(t, os.Chown(own, owner, owner))
		r := commandIn(t, nil, "", "recover", "--yes", "--node", "node1", "--data-dir", dir)
		require.Equal(t, exitOther, r.code)
		require.Contains(t, r.stderr, own+" belongs to "+userText(owner))
	}
	require.ErrorContains(t, ensureOwn(0, own, dir), "sudo -u "+userText(owner)+" versiond recover")
	require.NoError(t, ensureOwn(owner, own, dir))
	require.NoError(t, os.Remove(own))
	require.NoError(t, ensureOwn(euid, own, dir), "it is the first that counts which is there")
	require.NoError(t, ensureOwn(0, own))
}
