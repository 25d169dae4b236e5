package raft

import (
	"bytes"
	"io"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/raft/raftlog"
	"versiond/raft/transport"
	"versiond/test/fakestore"
)

// newTestFSM makes an FSM that no node has, over an empty log.
func newTestFSM(service VersionServiceInterface) *VersionFSM {
	return newVersionFSM(service, &raftlog.Stores{Log: raft.NewInmemStore()}, unobserved{}, newEnding())
}

// What lies in the log behind a snapshot is not looked at again once it is installed, also not the members that
// changed there. One of another history, or behind a hole, has to be installed all the same.
func TestOnlyASnapshotOfWhatTheNodeLacksIsInstalled(t *testing.T) {
	for name, c := range map[string]struct {
		certain, first, last, index, term uint64 // the log is of term 2
		held                              bool
	}{
		"older, in the log":                  {certain: 20, first: 5, last: 30, index: 10, term: 2, held: true},
		"older, in front of the log":         {certain: 20, first: 11, last: 30, index: 10, term: 1, held: true},
		"the one that it went on from":       {certain: 10, first: 11, last: 30, index: 10, term: 1, held: true},
		"the log has it since the start":     {certain: 10, first: 11, last: 30, index: 20, term: 2, held: true},
		"behind the log":                     {certain: 10, first: 11, last: 19, index: 20, term: 2},
		"at the end of the log":              {certain: 10, first: 11, last: 20, index: 20, term: 2},
		"the log is of another history":      {certain: 10, first: 11, last: 30, index: 20, term: 3},
		"the log is of another, once more":   {certain: 20, first: 11, last: 30, index: 20, term: 3},
		"the log has it behind a hole":       {certain: 10, first: 15, last: 30, index: 20, term: 2},
		"the first one, which finds nothing": {index: 20, term: 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTestFSM(fakestore.NewService(fakestore.New()))
			f.queue.startAt(c.certain)
			for index := c.first; index <= c.last && index > 0; index++ {
				require.NoError(t, f.stores.Log.StoreLog(&raft.Log{Index: index, Term: 2}))
			}
			err := f.Restore(&raftlog.SnapshotStream{ReadCloser: io.NopCloser(bytes.NewReader(nil)), Meta: &raft.SnapshotMeta{Index: c.index, Term: c.term}})
			if c.held {
				require.ErrorIs(t, err, transport.ErrSnapshotHeld)
				require.Equal(t, marks{handed: c.certain, highest: c.certain}, f.queue.marked())
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.index, f.queue.marked().restore)
		})
	}
}
