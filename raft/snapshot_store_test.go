package raft

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
)

// mustDamageNewest flips a bit in the newest snapshot of a node that does not run.
func mustDamageNewest(t *testing.T, path string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, datadir.SnapshotsFolder, "*", "state.bin"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	newest := files[len(files)-1]
	content, err := os.ReadFile(newest)
	require.NoError(t, err)
	damaged := bytes.Clone(content)
	damaged[len(damaged)/2] ^= 4
	require.NoError(t, os.WriteFile(newest, damaged, 0o600))
}

// A damaged newest snapshot must not keep a node from building its store where the log and an older one,
// or the log alone, make up for it; and no other node may be sent it.
func TestDamagedSnapshotIsMadeUpForByTheLog(t *testing.T) {
	c := newTestConfig(t) // whose log keeps everything
	n := c.mustLead(t)
	n.mustAdd(t, "a", 10)
	n.mustSnapshot(t)
	n.mustAdd(t, "b", 10)
	want := c.store.snapshotRows()
	n.close(t)
	mustDamageNewest(t, c.path)
	c.store.drop()
	n = c.mustLead(t)
	n.mustAdd(t, "c", 1) // it is applied after everything else
	rows := c.store.snapshotRows()
	delete(rows, "c-000")
	require.Equal(t, want, rows)
	metas, err := n.stores.snapshots.List()
	require.NoError(t, err)
	require.Empty(t, metas)
	n.mustSnapshot(t)
}

// Where nothing makes up for it, a node whose store is whole goes on and makes a new one; a node that needs
// it ends with what to do. It must never serve what is in it.
func TestDamagedSnapshotThatIsNeededEndsTheNode(t *testing.T) {
	c := newTestConfig(t)
	c.tuning.TrailingLogs = 2
	n := c.mustLead(t)
	n.mustAdd(t, "a", 30)
	n.mustSnapshot(t)
	n.mustAdd(t, "b", 5)
	n.close(t)
	mustDamageNewest(t, c.path)
	n = c.mustLead(t)
	n.mustAdd(t, "c", 1)
	n.close(t)

	c.store.drop()
	n = c.mustOpen(t)
	select {
	case <-n.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	require.ErrorIs(t, n.Err(), model.ErrCorrupt)
	require.ErrorContains(t, n.Err(), "empty its data directory and start it")
	require.False(t, n.Serving())
}

// A snapshot that cannot be finished must leave nothing, be it in the list or on the disk that is full
// already; one that another goroutine is writing must be left alone.
func TestUnfinishedSnapshotsLeaveNothing(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 3)
	_, transport := raft.NewInmemTransport("")
	create := func(index uint64) raft.SnapshotSink {
		sink, err := n.stores.snapshots.Create(1, index, 1, raft.Configuration{}, 1, transport)
		require.NoError(t, err)
		return sink
	}
	other, broken := create(1), create(2)
	folder := filepath.Join(c.path, datadir.SnapshotsFolder, broken.ID()+unfinishedSuffix)
	require.NoError(t, os.Remove(filepath.Join(folder, "meta.json")))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "meta.json"), 0o700)) // its description cannot be written
	require.Error(t, broken.Close())
	require.NoDirExists(t, folder)
	require.DirExists(t, filepath.Join(c.path, datadir.SnapshotsFolder, other.ID()+unfinishedSuffix))
	require.NoError(t, other.Cancel())
	metas, err := n.stores.snapshots.List()
	require.NoError(t, err)
	require.Empty(t, metas)
}
