package datadir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
)

// The identity in the directory is what tells a swapped or emptied directory from the right one.
func TestDataDirKeepsItsIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	first := mustDataDir(t, path)
	require.Equal(t, "node1", first.Identity().Node)
	require.NotEmpty(t, first.Identity().Store)
	require.NoError(t, first.SetCluster(datadir.Membership{Cluster: "c1", Replica: true}))
	require.NoError(t, first.Close())
	again := mustDataDir(t, path)
	defer func() { require.NoError(t, again.Close()) }()
	require.Equal(t, model.Identity{Cluster: "c1", Node: "node1", Store: first.Identity().Store}, again.Identity())
	require.True(t, again.Noted().Replica)
	other := mustDataDir(t, filepath.Join(t.TempDir(), "node1"))
	defer func() { require.NoError(t, other.Close()) }()
	require.NotEqual(t, first.Identity().Store, other.Identity().Store)
}

func mustDataDir(t *testing.T, path string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(path, "node1")
	require.NoError(t, err)
	return d
}

// Two processes on one directory would both write its log.
func TestSecondStartNamesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	d := mustDataDir(t, path)
	_, err := datadir.Open(path, "node1")
	require.ErrorContains(t, err, fmt.Sprintf("in use by process %d", os.Getpid()))
	require.NoError(t, d.Close())
	require.NoError(t, mustDataDir(t, path).Close())
}

func TestDataDirOfAnotherNodeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, mustDataDir(t, path).Close())
	_, err := datadir.Open(path, "node2")
	require.ErrorIs(t, err, model.ErrForeignStore)
	require.NoError(t, mustDataDir(t, path).Close(), "a refused start left the directory locked")
}

// A directory whose identity is gone or unreadable must not be taken for a new one: its log would be
// continued under another store ID.
func TestDataDirWithoutItsIdentityIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	require.NoError(t, mustDataDir(t, path).Close())
	require.NoError(t, os.WriteFile(filepath.Join(path, datadir.StableFile), []byte("log"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(path, datadir.IdentityFile), []byte("{"), 0o600))
	_, err := datadir.Open(path, "node1")
	require.ErrorIs(t, err, model.ErrCorrupt)
	require.NoError(t, os.Remove(filepath.Join(path, datadir.IdentityFile)))
	_, err = datadir.Open(path, "node1")
	require.ErrorIs(t, err, model.ErrCorrupt)
}

// What such a node has written again is no new directory: a start says that, and what to do.
func TestStartOnARemnantSaysWhatToDo(t *testing.T) {
	for _, left := range []string{datadir.LogFolder, datadir.SnapshotsFolder} {
		path := filepath.Join(t.TempDir(), "node1")
		require.NoError(t, os.MkdirAll(filepath.Join(path, left, "x"), 0o750))
		_, err := datadir.Open(path, "node1")
		require.ErrorIs(t, err, model.ErrCorrupt)
		require.ErrorContains(t, err, left)
		require.ErrorContains(t, err, model.RejoinAdvice)
	}
}
