package raftlog

import (
	"bytes"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A bit that flips in the file of the log must be noticed, wherever it is. If this fails, a node serves
// and replicates a record that nobody wrote.
func TestDamagedEntriesAreNoticed(t *testing.T) {
	for _, extensions := range [][]byte{nil, []byte("another's")} {
		entry := raft.Log{Index: 7, Term: 3, Type: raft.LogCommand, Data: []byte("command"), Extensions: extensions}
		stored := *withSums([]*raft.Log{&entry})[0]
		require.Equal(t, extensions, entry.Extensions, "what is replicated has no sum")
		whole := stored
		require.NoError(t, checkEntry(7, &whole))
		require.Equal(t, entry, whole)

		damages := []func(*raft.Log){
			func(l *raft.Log) { l.Term++ }, func(l *raft.Log) { l.Index++ }, func(l *raft.Log) { l.Type = raft.LogNoop },
			func(l *raft.Log) { l.Data = []byte("commend") }, func(l *raft.Log) { l.Extensions[len(l.Extensions)-1] ^= 1 },
		}
		for i, damage := range damages {
			damaged := stored
			damaged.Extensions = bytes.Clone(stored.Extensions)
			damage(&damaged)
			require.ErrorIs(t, checkEntry(7, &damaged), model.ErrCorrupt, "damage %d", i)
		}
	}
}

// A sum that is not there proves nothing: a damaged entry that has lost its own would be believed.
func TestEntriesWithoutSumsAreRefused(t *testing.T) {
	require.ErrorIs(t, checkEntry(7, &raft.Log{Index: 7, Data: []byte("?")}), model.ErrCorrupt)
	for _, stored := range []string{"", "12345678", "123456789012345678"} {
		_, err := withoutSum([]byte("CurrentTerm"), []byte(stored))
		require.ErrorIs(t, err, model.ErrCorrupt, stored)
	}
	value, err := withoutSum([]byte("CurrentTerm"), withSum([]byte("CurrentTerm"), []byte("12345678")))
	require.NoError(t, err)
	require.Equal(t, "12345678", string(value))
}
