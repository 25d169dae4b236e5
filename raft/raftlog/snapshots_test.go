package raftlog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/raft/datadir"
)

// A snapshot that cannot be finished must leave nothing, be it in the list or on the disk that is full
// already; one that another goroutine is writing must be left alone.
func TestUnfinishedSnapshotsLeaveNothing(t *testing.T) {
	path := t.TempDir()
	stores, err := Open(path, quiet)
	require.NoError(t, err)
	defer func() { require.NoError(t, stores.Close()) }()
	_, transport := raft.NewInmemTransport("")
	create := func(index uint64) raft.SnapshotSink {
		sink, err := stores.Snapshots.Create(1, index, 1, raft.Configuration{}, 1, transport)
		require.NoError(t, err)
		return sink
	}
	other, broken := create(1), create(2)
	folder := filepath.Join(path, datadir.SnapshotsFolder, broken.ID()+unfinishedSuffix)
	require.NoError(t, os.Remove(filepath.Join(folder, "meta.json")))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "meta.json"), 0o700)) // its description cannot be written
	require.Error(t, broken.Close())
	require.NoDirExists(t, folder)
	require.DirExists(t, filepath.Join(path, datadir.SnapshotsFolder, other.ID()+unfinishedSuffix))
	require.NoError(t, other.Cancel())
	metas, err := stores.Snapshots.List()
	require.NoError(t, err)
	require.Empty(t, metas)
}
