package disk_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/disk"
)

// A disk that is full must take nothing, and one that was cleared must take something, or tests of full
// disks prove nothing.
func TestDiskCanBeFilledAndCleared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	kept := filepath.Join(dir, "kept")
	require.NoError(t, os.WriteFile(kept, []byte("as it was"), 0o600))
	d := disk.Must(t, dir, 1<<20)
	content, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Equal(t, "as it was", string(content))
	d.Fill(t)
	require.ErrorIs(t, os.WriteFile(filepath.Join(dir, "more"), []byte("x"), 0o600), syscall.ENOSPC)
	d.Clear(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "more"), []byte("x"), 0o600))
}
