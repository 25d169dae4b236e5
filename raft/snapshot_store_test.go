package raft

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
)

// damages are what may become of the newest snapshot of a node that does not run.
var damages = map[string]func(t *testing.T, file string){
	"altered": func(t *testing.T, file string) {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		content[len(content)/2] ^= 4
		require.NoError(t, os.WriteFile(file, content, 0o600))
	},
	"gone": func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) },
	"unreadable": func(t *testing.T, file string) {
		require.NoError(t, os.Remove(file))
		require.NoError(t, os.Mkdir(file, 0o700)) // the system refuses to read it, as a disk does that fails
	},
}

// newestSnapshot returns the file of the newest snapshot in a data directory.
func newestSnapshot(t *testing.T, path string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, datadir.SnapshotsFolder, "*", "state.bin"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files[len(files)-1]
}

// A damaged newest snapshot must not keep a node from building its store where the log and an older one,
// or the log alone, make up for it; and no other node may be sent it.
func TestDamagedSnapshotIsMadeUpForByTheLog(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			c := newTestConfig(t) // whose log keeps everything
			n := c.mustLead(t)
			n.mustAdd(t, "a", 10)
			n.mustSnapshot(t)
			n.mustAdd(t, "b", 10)
			want := c.store.Rows()
			n.close(t)
			damage(t, newestSnapshot(t, c.path))
			c.store.Drop()
			n = c.mustLead(t)
			n.mustAdd(t, "c", 1) // it is applied after everything else
			rows := c.store.Rows()
			delete(rows, "c-000")
			require.Equal(t, want, rows)
			metas, err := n.stores.Snapshots.List()
			require.NoError(t, err)
			require.Empty(t, metas)
			n.mustSnapshot(t)
		})
	}
}

// Where nothing makes up for it, a node whose store is whole goes on and makes a new one; a node that needs
// it ends with what to do. It must never serve what is in it.
func TestDamagedSnapshotThatIsNeededEndsTheNode(t *testing.T) {
	for _, name := range []string{"altered", "gone"} { // a disk that fails may do better the next time
		t.Run(name, func(t *testing.T) {
			damage := damages[name]
			c := newTestConfig(t)
			c.tuning.TrailingLogs = 2
			n := c.mustLead(t)
			n.mustAdd(t, "a", 30)
			n.mustSnapshot(t)
			n.mustAdd(t, "b", 5)
			n.close(t)
			damage(t, newestSnapshot(t, c.path))
			n = c.mustLead(t)
			n.mustAdd(t, "c", 1)
			n.close(t)

			c.store.Drop()
			n = c.mustOpen(t)
			select {
			case <-n.Failed():
			case <-time.After(10 * time.Second):
				t.Fatal("it goes on")
			}
			require.ErrorIs(t, n.Err(), model.ErrCorrupt)
			require.ErrorContains(t, n.Err(), "empty its data directory and start it")
			require.False(t, n.Serving())
		})
	}
}
