package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A web server reads what a nightly export writes: the file keeps its mode, and the link to it stays one.
func TestAFileThatIsWrittenAnewStaysWhatItWas(t *testing.T) {
	must(t, "create", "kept-mode", "1", "linux")
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	mode := func(name string) os.FileMode {
		info, err := os.Lstat(in(name))
		require.NoError(t, err)
		return info.Mode()
	}
	for _, name := range []string{"plain", "old"} {
		require.NoError(t, os.WriteFile(in(name), []byte("before"), 0o666))
	}
	require.NoError(t, os.Chmod(in("old"), 0o646)) // none that a umask leaves
	require.NoError(t, os.Symlink("old", in("link")))
	must(t, "export", in("new"), "--prefix", "kept-mode")
	must(t, "export", in("link"), "--prefix", "kept-mode")
	must(t, "backup", in("backup"))
	require.Equal(t, mode("plain"), mode("new"))
	require.Equal(t, os.FileMode(0o646), mode("old"))
	require.Equal(t, os.ModeSymlink, mode("link").Type())
	require.Equal(t, os.FileMode(0o600), mode("backup"), "a new backup has every record, and is for its owner")
	text, err := os.ReadFile(in("old"))
	require.NoError(t, err)
	require.Contains(t, string(text), "kept-mode")

	require.Equal(t, exitUnavailable, commandOn(t, []string{"http://127.0.0.1:1"}, "", "export", in("old"), "--timeout", "100ms").code)
	after, err := os.ReadFile(in("old"))
	require.NoError(t, err)
	require.Equal(t, text, after)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 5, "nothing half is left")
}
