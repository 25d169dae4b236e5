package raft

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// fillSegments appends entries of a quarter of a MiB from index on until the log has this many files, and
// returns the last index.
func fillSegments(t *testing.T, stores *stores, dir *DataDir, index uint64, segments int) uint64 {
	t.Helper()
	for {
		found, err := filepath.Glob(dir.file(logDir) + "/*/*.wal")
		require.NoError(t, err)
		if len(found) >= segments {
			return index
		}
		logs := make([]*raft.Log, 16)
		for i := range logs {
			index++
			logs[i] = &raft.Log{Index: index, Term: 3, Type: raft.LogCommand, Data: make([]byte, 256<<10)}
		}
		require.NoError(t, stores.cache.StoreLogs(logs))
	}
}

// A node must start again on any number of log files. If this fails, a cluster that was filled by batches never
// starts again, because its file of metadata has outgrown a page.
func TestLogOfFortyFilesOpensAgain(t *testing.T) {
	dir, _ := mustLogFile(t)
	index := uint64(300)
	for _, segments := range []int{2, 5, 6, 12, 40} {
		stores, err := openStores(dir, slog.New(slog.DiscardHandler))
		require.NoError(t, err, "before %d files", segments)
		stores.hold(newDisk(dir.Path(), slog.New(slog.DiscardHandler), unobserved{}, nil), nil)
		index = fillSegments(t, stores, dir, index, segments)
		require.NoError(t, stores.close())
	}
	logs, err := readAllLog(dir)
	require.NoError(t, err)
	require.Equal(t, index, logs[len(logs)-1].Index)
}
