//go:build unix

package authority

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Hang has whoever reads a file wait until the test is over, as a network that is away does: it puts a pipe in its place,
// and opening that waits for somebody who writes.
func Hang(t testing.TB, path string) {
	t.Helper()
	require.NoError(t, os.Remove(path))
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	t.Cleanup(func() {
		writer, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		require.NoError(t, writer.Close())
	})
}
