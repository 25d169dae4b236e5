package raftlog

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/raft/datadir"
)

// fillSegments appends entries of a quarter of a MiB from index on until the log has this many files, and
// returns the last index.
func fillSegments(t *testing.T, stores *Stores, dir *datadir.Dir, index uint64, segments int) uint64 {
	t.Helper()
	for {
		found, err := filepath.Glob(dir.File(datadir.LogFolder) + "/*.wal")
		require.NoError(t, err)
		if len(found) >= segments {
			return index
		}
		logs := make([]*raft.Log, 16)
		for i := range logs {
			index++
			logs[i] = &raft.Log{Index: index, Term: 3, Type: raft.LogCommand, Data: make([]byte, 256<<10)}
		}
		require.NoError(t, stores.Log.StoreLogs(logs))
	}
}

// A node must start again on any number of log files. If this fails, a cluster that was filled by batches never
// starts again, because its file of metadata has outgrown a page.
func TestLogOfFortyFilesOpensAgain(t *testing.T) {
	dir, _ := mustLogFile(t)
	index := uint64(300)
	for _, segments := range []int{2, 5, 6, 12, 40} {
		stores := mustOpenStores(t, dir)
		index = fillSegments(t, stores, dir, index, segments)
		require.NoError(t, stores.Close())
	}
	logs, err := readAllLog(dir)
	require.NoError(t, err)
	require.Equal(t, index, logs[len(logs)-1].Index)
}

// newestFile returns the path of the file that the log is written to.
func newestFile(t *testing.T, dir *datadir.Dir) string {
	t.Helper()
	found, err := filepath.Glob(dir.File(datadir.LogFolder) + "/*.wal")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return slices.Max(found)
}

// A file that a full disk left too short is written to later. If this fails, the node calls it cut off at its next
// start and never starts again.
func TestLogFileThatAFullDiskLeftShortIsWrittenTo(t *testing.T) {
	dir, _ := mustLogFile(t)
	stores := mustOpenStores(t, dir)
	require.NoError(t, stores.Log.DeleteRange(200, 300)) // which begins a new file
	require.NoError(t, stores.Close())
	require.NoError(t, os.Truncate(newestFile(t, dir), 4096))
	for index := uint64(200); index < 203; index++ {
		stores = mustOpenStores(t, dir)
		require.NoError(t, stores.Log.StoreLogs(entriesOf(4, index, index)))
		require.NoError(t, stores.Close())
	}
	logs, err := readAllLog(dir)
	require.NoError(t, err)
	require.Equal(t, uint64(202), logs[len(logs)-1].Index)
}

// A crash may leave a file that counts no more, with a name behind the one that does, and half written. If this
// fails, that file keeps the node from starting.
func TestLogFileThatCountsNoMoreIsNotLookedAt(t *testing.T) {
	dir, _ := mustLogFile(t)
	newest := newestFile(t, dir)
	content, err := os.ReadFile(newest)
	require.NoError(t, err)
	orphan := filepath.Join(filepath.Dir(newest), "00000000000000000900-00000000000000ff.wal")
	require.NoError(t, os.WriteFile(orphan, content[:100_000], 0o600))
	logs, err := readAllLog(dir)
	require.NoError(t, err)
	require.Len(t, logs, 200)
	require.NoFileExists(t, orphan)
}

func mustOpenStores(t *testing.T, dir *datadir.Dir) *Stores {
	t.Helper()
	stores, err := Open(dir.Path(), quiet)
	require.NoError(t, err)
	return stores
}
