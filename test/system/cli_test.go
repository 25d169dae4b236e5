package system_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// cliPackages take long enough to import for a node to be killed meanwhile.
const cliPackages = 12_000

// versiondOn returns what runs commands on a cluster.
func versiondOn(t *testing.T, c *cluster.Cluster, log string, args ...string) *cluster.Process {
	t.Helper()
	var urls []string
	for _, n := range c.Nodes {
		urls = append(urls, fmt.Sprintf("http://127.0.0.1:%d", n.Port))
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "VERSIOND_URL=" + strings.Join(urls, ",")}
	return cluster.NewProcess(t, program, args, env, filepath.Join(c.Dir(), log))
}

// What dpkg-query prints is imported while the node that leads is killed, listed again as it was, and seen by a watch, each
// record once. If this fails, a command loses or doubles writes, or a watch has gaps.
func TestImportListAndWatchWithANodeKilled(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	want, file := packagesFile(t, c.Dir())
	watch := versiondOn(t, c, "watch.log", "watch", "--all", "-o", "json")
	watch.Start()
	seen := func() int { return strings.Count(watch.Log(), `"type":"put"`) }
	imported := versiondOn(t, c, "import.log", "import", file, "--timeout", "30s")
	imported.Start()
	cluster.Eventually(t, 30*time.Second, "a watch that has seen a part", func() error { return atLeast(seen(), cliPackages/6) })
	require.True(t, imported.Running(), "it was over before the node was killed: the test tested nothing")
	c.Leader().Kill()
	require.Zero(t, imported.Wait(time.Minute), imported.Log())
	require.Contains(t, imported.Log(), fmt.Sprintf("%d created, 0 updated, 0 unchanged, 0 refused", cliPackages))

	commands := versiondOn(t, c, "commands.log")
	code, text := commands.Run("list", "-o", "json")
	require.Zero(t, code, text)
	var listed []model.VersionDB
	require.NoError(t, json.Unmarshal([]byte(text), &listed))
	require.Len(t, listed, len(want))
	for _, r := range listed {
		require.Equal(t, want[r.ID], model.VersionDB{ID: r.ID, VersionNo: r.VersionNo, Platform: r.Platform})
	}
	cluster.Eventually(t, 30*time.Second, "a watch that has seen all", func() error { return atLeast(seen(), cliPackages) })
	watch.Signal(os.Interrupt)
	require.Zero(t, watch.Wait(5*time.Second), watch.Log())
	requireSeenOnce(t, want, watch.Log())

	code, text = commands.Run("import", file)
	require.Zero(t, code, text)
	require.Contains(t, text, fmt.Sprintf("0 created, 0 updated, %d unchanged, 0 refused", cliPackages))
}

// packagesFile writes packages in the three columns that dpkg-query prints.
func packagesFile(t *testing.T, dir string) (packages map[string]model.VersionDB, file string) {
	t.Helper()
	random, text := rand.New(rand.NewPCG(3, 4)), strings.Builder{}
	packages = map[string]model.VersionDB{}
	for i := range cliPackages {
		p := generatedPackage(random, i)
		packages[p.ID] = p
		fmt.Fprintf(&text, "%s\t%s\t%s\n", p.ID, p.VersionNo, p.Platform)
	}
	file = filepath.Join(dir, "packages")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))
	return packages, file
}

func atLeast(is, want int) error {
	if is < want {
		return fmt.Errorf("%d of %d so far", is, want)
	}
	return nil
}

func requireSeenOnce(t *testing.T, want map[string]model.VersionDB, log string) {
	t.Helper()
	seen, last := map[string]bool{}, uint64(0)
	for line := range strings.Lines(log) {
		var e struct {
			Type     string
			Revision uint64
			Record   model.VersionDB
		}
		if json.Unmarshal([]byte(line), &e) != nil { // where to go on, at the end
			continue
		}
		require.False(t, seen[e.Record.ID], "%s was seen twice", e.Record.ID)
		require.Greater(t, e.Revision, last)
		seen[e.Record.ID], last = true, e.Revision
	}
	require.Len(t, seen, len(want))
}

// Scripts go by the exit code: what is not there, what is in the way, what may be tried later, and what may have been done.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	commands := versiondOn(t, c, "commands.log")
	for _, each := range []struct {
		code int
		args string
	}{
		{0, "create app 1.0.0 linux"}, {3, "get nobody"}, {4, "create app 1.0.0 linux"}, {2, "get"}, {10, "check 0.9 app --exit-code"},
		{0, "update app --mandatory"}, {11, "check 0.9 app --exit-code"}, {0, "status"}, {1, "watch --since 1"},
	} {
		code, text := commands.Run(strings.Fields(each.args)...)
		require.Equal(t, each.code, code, "%s: %s", each.args, text)
	}
	leader, followers := c.Leader(), c.Followers()
	for _, n := range c.Nodes {
		n.Pause()
		n.AwaitPaused()
	}
	code, text := commands.Run("create", "unknown", "1", "linux", "--timeout", "500ms")
	require.Equal(t, 6, code, text)
	require.Contains(t, text, "outcome_unknown")
	code, text = commands.Run("get", "app", "--timeout", "500ms")
	require.Equal(t, 5, code, text)
	for _, n := range followers {
		n.Kill()
	}
	leader.Resume()
	cluster.Eventually(t, 20*time.Second, "a status that says what is missing", func() error {
		if code, text = commands.Run("status"); code != 5 || !strings.Contains(text, "there is no quorum: 1 of 3 voters answer") {
			return fmt.Errorf("%d: %s", code, text)
		}
		return nil
	})
	code, text = commands.Run("get", "app", "--level", "none", "-o", "json")
	require.Zero(t, code, text)
	require.Contains(t, text, `"id":"app"`)
}
