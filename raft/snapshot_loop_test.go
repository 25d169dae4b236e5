package raft

import (
	"bytes"
	"io"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/raft/raftlog"
	"versiond/test/fakestore"
)

// A follower that is sent the same snapshot for ever must end with what to do, and one that gets further
// between two must not (hashicorp/raft#697). If this fails, it fills its disk and never follows.
func TestSameSnapshotAgainAndAgainEndsTheNode(t *testing.T) {
	f := newTestFSM(fakestore.NewService(fakestore.New()))
	restore := func(index uint64) {
		stream := &raftlog.SnapshotStream{ReadCloser: io.NopCloser(bytes.NewReader(nil)), Meta: &raft.SnapshotMeta{Index: index}}
		require.NoError(t, f.Restore(stream))
	}
	for range 2 * repeatsMax {
		restore(8)
		f.Apply(&raft.Log{Index: 8})
	}
	for index := range uint64(2 * repeatsMax) {
		restore(10 + index)
	}
	require.NoError(t, f.ending.Err())
	for range 2 * repeatsMax {
		restore(100)
	}
	require.NoError(t, f.ending.Err(), "a leader that was deposed in a restore is sent it for some seconds")
	f.repeatSince = f.repeatSince.Add(-repeatsFor)
	restore(100)
	require.ErrorIs(t, f.ending.Err(), errSnapshotLoop)
}
