package system_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

func mustBackup(t *testing.T, n *cluster.Node) string {
	t.Helper()
	status, file, err := n.Client.Send(t.Context(), false, http.MethodGet, "/backup", nil, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, string(file))
	return string(file)
}

func sendBackup(t *testing.T, n *cluster.Node, query, file string) (status int, answer string) {
	t.Helper()
	header := map[string]string{"Content-Type": "application/octet-stream"}
	patient := n.Client.Within(time.Minute) // three nodes load it, on a busy machine
	status, data, err := patient.Send(t.Context(), false, http.MethodPost, "/restore"+query, header, file)
	require.NoError(t, err)
	return status, string(data)
}

func mustRestore(t *testing.T, n *cluster.Node, query, file string) (restored model.Restored) {
	t.Helper()
	status, answer := sendBackup(t, n, query, file)
	require.Equal(t, http.StatusOK, status, answer)
	require.NoError(t, json.Unmarshal([]byte(answer), &restored))
	return restored
}

// A restore brings exactly the records of the backup back, on every node, also on one that was down
// meanwhile, and no cache still answers with anything else. If this fails, a restore leaves nodes that
// differ, or old values that pass for the restored ones.
func TestRestoreOnAllNodes(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 40)
		want := c.RequireEqualStores()
		file := mustBackup(t, c.Followers()[0])

		mustAddMany(t, c.Leader(), "later", 20)
		for _, id := range []string{"kept-0003", "kept-0004"} {
			_, err := c.Leader().Client.Update(t.Context(), model.VersionDB{ID: id, VersionNo: "2.0.0", Platform: "linux"}, 0)
			require.NoError(t, err)
		}
		_, err := c.Leader().Client.Delete(t.Context(), "kept-0005", 0)
		require.NoError(t, err)
		down := c.Followers()[1]
		down.Kill()

		restored := mustRestore(t, c.Followers()[0], "", file)
		require.EqualValues(t, 40, restored.Records)
		for _, opts := range cluster.Levels(restored.Index) {
			read, err := c.Leader().Client.Get(t.Context(), "kept-0003", opts)
			require.NoError(t, err)
			require.Equal(t, "1.0.0", read.Record.VersionNo)
		}
		down.Start()
		c.WaitReady()
		c.AwaitReload()
		require.Equal(t, want, c.RequireEqualStores())

		after := mustAdd(t, down, "after")
		require.Greater(t, after.Record.Revision, model.Revision(restored.Index, 0))
		c.StopAll()
		c.StartAll()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 41)
	})
}

// A backup is of one moment, though writes go on while it is made: of two records that are written one
// after the other it never has the second one's write without the first one's. If this fails, a backup
// is a mixture of states that never were.
func TestBackupWhileWritesGoOn(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		inParallel(t, 2500, func(ctx context.Context, i int) error { // several pages lie between the two
			_, err := c.Nodes[i%3].Client.Add(ctx, record(fmt.Sprintf("m-%04d", i)))
			return err
		})
		first, last := mustAdd(t, c.Nodes[0], "a-first").Record, mustAdd(t, c.Nodes[0], "z-last").Record
		stop := updateInTurn(t, c, first, last)
		var files []string
		for i := range 6 {
			files = append(files, mustBackup(t, c.Nodes[i%3]))
		}
		stop()
		for _, file := range files {
			require.EqualValues(t, 2502, mustRestore(t, c.Nodes[1], "", file).Records)
			a, err := c.Nodes[2].Client.Get(t.Context(), first.ID, model.ReadOptions{})
			require.NoError(t, err)
			z, err := c.Nodes[2].Client.Get(t.Context(), last.ID, model.ReadOptions{})
			require.NoError(t, err)
			require.Contains(t, []string{a.Record.VersionNo, before(a.Record.VersionNo)}, z.Record.VersionNo)
		}
		c.AwaitReload()
		requireRowCount(t, c.RequireEqualStores(), 2502)
	})
}

// updateInTurn updates the records one after the other to the next number, over and over, until stop is called.
func updateInTurn(t *testing.T, c *cluster.Cluster, records ...model.VersionDB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		for i := 1; ctx.Err() == nil; i++ {
			for _, r := range records {
				r.VersionNo = fmt.Sprint(i)
				if _, err := c.Nodes[i%3].Client.Update(context.WithoutCancel(ctx), r, 0); err != nil {
					ended <- err
					return
				}
			}
		}
		ended <- nil
	}()
	return func() { cancel(); require.NoError(t, <-ended) }
}

// before returns the number that a record had before this one.
func before(number string) string {
	var n int
	if _, err := fmt.Sscan(number, &n); err != nil || n < 2 {
		return "1.0.0"
	}
	return fmt.Sprint(n - 1)
}

// Writes go on when a restore comes, the outcome of each is certain, and those that come after it stay.
// If this fails, nodes differ in which of them they applied, or clients have to guess.
func TestRestoreWhileWritesGoOn(t *testing.T) {
	onAll(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 30)
		file := mustBackup(t, c.Leader())
		load := cluster.StartLoad(t, c, "load", 8) // of its ledger only the counts are of use: the restore undoes what was acknowledged
		for i := range 4 {
			load.Await(t, 50, 20*time.Second)
			mustRestore(t, c.Nodes[i%3], "", file)
		}
		require.Zero(t, load.Stop().Unknown, "writes of unknown outcome")
		c.WaitReady()
		c.AwaitReload()
		rows := c.RequireEqualStores()
		mustAddMany(t, c.Followers()[0], "after", 5)
		requireRowCount(t, c.RequireEqualStores(), len(rows)+5)
	})
}

// A damaged file, and one of another cluster, must be refused before anything changes. If this fails,
// a bad download replaces a good registry.
func TestBadBackupsChangeNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		other := cluster.Start(t, mode{}.config())
		mustAddMany(t, other.Leader(), "theirs", 10)
		foreign := mustBackup(t, other.Leader())
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "ours", 10)
		want := c.RequireEqualStores()
		file := mustBackup(t, c.Leader())

		bad := map[string]string{"nothing": "", "another cluster's": foreign, "no backup": "SQLite format 3", "a byte too many": file + "x"}
		for _, at := range []int{0, 20, 60, 150, len(file) / 2, len(file) - 40, len(file) - 1} {
			bad[fmt.Sprintf("cut off at %d", at)] = file[:at]
			bad[fmt.Sprintf("altered at %d", at)] = file[:at] + string(file[at]^1) + file[at+1:]
		}
		for name, content := range bad {
			for _, n := range []*cluster.Node{c.Leader(), c.Followers()[0]} {
				status, answer := sendBackup(t, n, "", content)
				require.Equal(t, http.StatusBadRequest, status, "%s: %s", name, answer)
				require.Contains(t, answer, `"invalid_request"`, name)
			}
		}
		require.Equal(t, want, c.RequireEqualStores())

		mustRestore(t, c.Followers()[0], "?foreign=true", foreign)
		for _, row := range c.RequireEqualStores() {
			require.Greater(t, row.Revision, want[len(want)-1].Revision, "an ETag of before could match it")
		}
	})
}

// The command is for those who have a file and an address.
func TestRestoreCommand(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	mustAddMany(t, c.Leader(), "kept", 3)
	path := filepath.Join(t.TempDir(), "versiond.backup")
	require.NoError(t, os.WriteFile(path, []byte(mustBackup(t, c.Leader())), 0o600))
	mustAddMany(t, c.Leader(), "later", 3)
	command := func(log string) *cluster.Process {
		args := []string{"restore", path, "--url", fmt.Sprintf("http://127.0.0.1:%d", c.Followers()[0].Port)}
		p := cluster.NewProcess(t, program, args, nil, filepath.Join(t.TempDir(), log))
		p.Start()
		return p
	}
	good := command("good")
	require.Zero(t, good.Wait(20*time.Second), "its exit code: %s", good.Log())
	require.Contains(t, good.Log(), "restored 3 records")
	requireRowCount(t, c.RequireEqualStores(), 3)

	require.NoError(t, os.Truncate(path, 100))
	bad := command("bad")
	require.NotZero(t, bad.Wait(20*time.Second), "its exit code")
	require.Contains(t, bad.Log(), "invalid_request")
	require.Contains(t, bad.Log(), "checksum")
}
