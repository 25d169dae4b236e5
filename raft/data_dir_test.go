package raft

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// The identity in the directory is what tells a swapped or emptied directory from the right one.
func TestDataDirKeepsItsIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	first := mustDataDir(t, path)
	require.Equal(t, "node1", first.Identity().Node)
	require.NotEmpty(t, first.Identity().Store)
	require.NoError(t, first.SetCluster(Membership{Cluster: "c1", Replica: true}))
	require.NoError(t, first.Close())
	again := mustDataDir(t, path)
	defer func() { require.NoError(t, again.Close()) }()
	require.Equal(t, model.Identity{Cluster: "c1", Node: "node1", Store: first.Identity().Store}, again.Identity())
	require.True(t, again.noted().Replica)
	other := mustDataDir(t, filepath.Join(t.TempDir(), "node1"))
	defer func() { require.NoError(t, other.Close()) }()
	require.NotEqual(t, first.Identity().Store, other.Identity().Store)
}

func mustDataDir(t *testing.T, path string) *DataDir {
	t.Helper()
	d, err := OpenDataDir(path, "node1")
	require.NoError(t, err)
	return d
}

// Two processes on one directory would both write its log.
func TestSecondStartNamesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	d := mustDataDir(t, path)
	_, err := OpenDataDir(path, "node1")
	require.ErrorContains(t, err, fmt.Sprintf("in use by process %d", os.Getpid()))
	require.NoError(t, d.Close())
	require.NoError(t, mustDataDir(t, path).Close())
}

func TestDataDirOfAnotherNodeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, mustDataDir(t, path).Close())
	_, err := OpenDataDir(path, "node2")
	require.ErrorIs(t, err, model.ErrForeignStore)
	require.NoError(t, mustDataDir(t, path).Close(), "a refused start left the directory locked")
}

// A directory whose identity is gone or unreadable must not be taken for a new one: its log would be
// continued under another store ID.
func TestDataDirWithoutItsIdentityIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	require.NoError(t, mustDataDir(t, path).Close())
	require.NoError(t, os.WriteFile(filepath.Join(path, logFile), []byte("log"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(path, identityFile), []byte("{"), 0o600))
	_, err := OpenDataDir(path, "node1")
	require.ErrorIs(t, err, model.ErrCorrupt)
	require.NoError(t, os.Remove(filepath.Join(path, identityFile)))
	_, err = OpenDataDir(path, "node1")
	require.ErrorIs(t, err, model.ErrCorrupt)
}
