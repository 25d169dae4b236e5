package compose

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root = "../.."
	// authorities is where Go looks for those that a machine knows.
	authorities = "/etc/ssl/certs/ca-certificates.crt"
)

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(text)
}

// furnish does what the Dockerfile does for /image beside building the program, in another folder and with the authorities of
// a file.
func furnish(t *testing.T, image, known string) {
	t.Helper()
	_, script, found := strings.Cut(mustRead(t, "Dockerfile"), "\nRUN install ")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "\n")
	script = strings.NewReplacer(" "+authorities, " "+known, "/image", image).Replace("install " + script)
	said, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput()
	require.NoError(t, err, string(said))
}

// If this fails, a node in a container trusts nobody, and reaches no MySQL and no Redis whose certificate an authority of the
// machine has signed; or its volumes belong to root, and it may not write to them.
func TestImageHasWhatANodeNeeds(t *testing.T) {
	known, image := filepath.Join(t.TempDir(), "known"), t.TempDir()
	require.NoError(t, os.WriteFile(known, []byte("authorities"), 0o600))
	furnish(t, image, known)
	copied, err := os.ReadFile(filepath.Join(image, "program", authorities))
	require.NoError(t, err)
	require.Equal(t, "authorities", string(copied))
	for _, volume := range []string{"data", "certs", "ca"} {
		require.DirExists(t, filepath.Join(image, "state", volume))
	}
	for _, line := range []string{"COPY --from=build /image/program/ /", "COPY --from=build --chown=65532:65532 /image/state/ /"} {
		require.Contains(t, mustRead(t, "Dockerfile"), "\n"+line+"\n")
	}
}
