package system_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// A node whose Raft log was cut off or overwritten ends with a line that says what to do, and that works:
// with an emptied directory it joins again and is sent everything. If this fails, a bad sector ends in a
// stack trace, or in a node that votes with a memory that is not its own.
func TestDamagedRaftLog(t *testing.T) {
	damages := map[string]struct {
		file   string
		damage func(content []byte) []byte
	}{
		"vote cut off":     {"raft.db", func(content []byte) []byte { return content[:len(content)/3] }},
		"vote overwritten": {"raft.db", func([]byte) []byte { return []byte("this is no Raft log, whatever it is called") }},
		"vote altered":     {"raft.db", func(content []byte) []byte { content[os.Getpagesize()+16+40] ^= 1; return content }},
		"log cut off":      {"log/*.wal", func(content []byte) []byte { return content[:len(content)/3] }},
		"log altered": {"log/*.wal", func(content []byte) []byte {
			return bytes.Replace(content, []byte("kept-0010"), []byte("kept-0011"), 1)
		}},
		"log overwritten": {"log/wal-meta.db", func([]byte) []byte { return []byte("this is no Raft log, whatever it is called") }},
	}
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 50)
		for name, d := range damages {
			n := c.Followers()[0]
			n.Stop()
			files, err := filepath.Glob(filepath.Join(n.Dir, d.file))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			content, err := os.ReadFile(files[0])
			require.NoError(t, err)
			damaged := d.damage(bytes.Clone(content))
			require.False(t, bytes.Equal(content, damaged), name)
			require.NoError(t, os.WriteFile(files[0], damaged, 0o600))
			n.Start()
			require.NotZero(t, n.Wait(10*time.Second), name)
			require.Contains(t, lastLine(n), "the Raft log in "+n.Dir+" cannot be read", name)
			require.Contains(t, lastLine(n), "empty its data directory and start it: it joins again", name)
			require.NotContains(t, n.Log(), "goroutine ", name)

			require.NoError(t, os.RemoveAll(n.Dir))
			n.Start()
			c.WaitReady()
			mustAdd(t, n, "after-"+strings.ReplaceAll(name, " ", "-"))
		}
		requireRowCount(t, c.RequireEqualStores(), 50+len(damages))
	})
}

// A file that is no database any more is set aside and built anew: the log and the snapshots have everything. If this
// fails, a node does not start over what it does not need.
func TestDamagedDatabaseFile(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{}.config())
	mustAddMany(t, c.Leader(), "kept", 50)
	n := c.Followers()[0]
	for _, content := range []string{strings.Repeat("this is no database, whatever it is called ", 100), "cut"} {
		n.Stop()
		file := filepath.Join(n.Dir, "versions.db")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		// What SQLite did not write back yet when the node ended would make the file whole again.
		require.NoError(t, os.RemoveAll(file+"-wal"))
		n.Start()
		c.WaitReady()
		require.Contains(t, n.Log(), "the database file is damaged")
		aside, err := os.ReadFile(file + ".damaged")
		require.NoError(t, err)
		require.Equal(t, content, string(aside))
	}
	requireRowCount(t, c.RequireEqualStores(), 50)
}

// A node that needs a snapshot which is damaged ends with a line that says what to do, and never serves
// what is in it. Here its database is lost as well, so that it does need it.
func TestDamagedSnapshot(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config(compacting()...))
		mustAddMany(t, c.Leader(), "kept", 60)
		n := c.Followers()[0]
		n.AwaitSnapshot(20 * time.Second)
		n.Stop()
		for _, file := range n.Snapshots("state.bin") {
			require.NoError(t, os.Truncate(file, 20))
		}
		n.Database.Drop()
		n.Start()
		require.NotZero(t, n.Wait(20*time.Second))
		require.Contains(t, lastLine(n), "empty its data directory and start it: it joins again")

		require.NoError(t, os.RemoveAll(n.Dir))
		n.Start()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 60)
	})
}
