package raft

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/judge"
	"versiond/raft/raftlog"
	"versiond/test/fakestore"
)

// arrivals are the places of a node to which a leader sends a snapshot while somebody looks at them.
type arrivals struct {
	raft.SnapshotStore
	raft.LogStore
	arrive  func()
	inFront bool // of the look at the log, else behind the one at the snapshots
}

func (s arrivals) List() ([]*raft.SnapshotMeta, error) {
	found, err := s.SnapshotStore.List()
	if !s.inFront {
		s.arrive()
	}
	return found, err
}

func (s arrivals) FirstIndex() (uint64, error) {
	if s.inFront {
		s.arrive()
	}
	return s.LogStore.FirstIndex()
}

// A node whose directory was emptied and whose database was not builds its store anew while the leader sends it
// a snapshot. It must go on with what it has seen at one moment, and not find a gap between two looks and end.
func TestSnapshotThatArrivesWhileTheStoreIsBuiltAnewIsNoGap(t *testing.T) {
	for name, inFront := range map[string]bool{"in front of the look at the log": true, "behind the look at the snapshots": false} {
		t.Run(name, func(t *testing.T) {
			a := mustApplier(t, model.Identity{Cluster: "c", Node: "node1", Store: "s"})
			sent := arrivals{SnapshotStore: raft.NewInmemSnapshotStore(), LogStore: raft.NewInmemStore(), inFront: inFront}
			sent.arrive = sync.OnceFunc(func() {
				_, transport := raft.NewInmemTransport("x")
				sink, err := sent.Create(1, 40, 3, raft.Configuration{}, 1, transport)
				require.NoError(t, err)
				require.NoError(t, sink.Close())
				require.NoError(t, sent.StoreLog(&raft.Log{Index: 41, Term: 3, Type: raft.LogNoop}))
			})
			a.logs, a.fsm.stores.Snapshots = sent, sent
			require.NotErrorIs(t, a.rebuild(t.Context()), errNoHistory)
		})
	}
}

// The FSM may be told to restore a snapshot at any moment, and the log below it may not be committed.
func TestNothingBelowARestoreIsReadFromTheLog(t *testing.T) {
	a := mustApplier(t, model.Identity{Cluster: "c", Node: "node1", Store: "s"})
	a.applied = model.Position{Index: 12, Term: 2}
	a.queue.startAt(14)
	end, _ := a.logEnd()
	require.Equal(t, uint64(14), end)
	a.queue.pushRestore(40)
	moved, err := a.readLog(t.Context())
	require.NoError(t, err)
	require.False(t, moved)
	require.Equal(t, uint64(12), a.applied.Index)
}

// A snapshot that cannot be read is not to be had by trying again: the node must end with what to do about it.
func TestDamagedSnapshotEndsTheApplierOfARunningNode(t *testing.T) {
	a := mustApplier(t, model.Identity{Cluster: "c", Node: "node1", Store: "s"}) // whose snapshot is empty
	a.applied = model.Position{Index: 5, Term: 1}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := a.restoreNewest(ctx)
	require.ErrorIs(t, err, model.ErrCorrupt)
	require.ErrorContains(t, err, model.RejoinAdvice)
}

// closedLog is a log whose end could not be opened again yet after its disk failed.
type closedLog struct{ raft.LogStore }

func (closedLog) GetLog(uint64, *raft.Log) error { return raftlog.ErrReopening }

// A disk that fails for a moment must not end the node.
func TestApplierWaitsForALogThatIsClosed(t *testing.T) {
	a := mustApplier(t, model.Identity{Cluster: "c", Node: "node1", Store: "s"})
	a.applied = model.Position{Index: 12, Term: 2}
	a.queue.startAt(14)
	open := a.logs
	a.logs = closedLog{open}
	moved, err := a.readLog(t.Context())
	require.NoError(t, err)
	require.False(t, moved)
	a.logs = open
	moved, err = a.readLog(t.Context())
	require.NoError(t, err)
	require.True(t, moved)
}

// mustApplier makes an applier over a log of entries 10 to 15 of term 2 and a snapshot at 11.
func mustApplier(t *testing.T, identity model.Identity) *applier {
	t.Helper()
	logs := raft.NewInmemStore()
	for index := uint64(10); index <= 15; index++ {
		require.NoError(t, logs.StoreLog(&raft.Log{Index: index, Term: 2, Type: raft.LogNoop}))
	}
	snapshots := raft.NewInmemSnapshotStore()
	_, transport := raft.NewInmemTransport("x")
	sink, err := snapshots.Create(1, 11, 2, raft.Configuration{}, 1, transport)
	require.NoError(t, err)
	require.NoError(t, sink.Close())
	fsm := newTestFSM(fakestore.NewService(fakestore.New()))
	fsm.stores.Snapshots = snapshots
	return &applier{decider: decider{service: fsm.service, logs: logs}, fsm: fsm, queue: fsm.queue, progress: newProgress(),
		committed: func() uint64 { return 15 }, dir: mustDirOf(t, identity), log: slog.New(slog.DiscardHandler)}
}

// mustDirOf opens a data directory that is whose identity says.
func mustDirOf(t *testing.T, identity model.Identity) *datadir.Dir {
	t.Helper()
	path := t.TempDir()
	noted, err := json.Marshal(identity)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(path, datadir.IdentityFile), noted, 0o600))
	dir, err := datadir.Open(path, identity.Node)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dir.Close()) })
	return dir
}

// What stands in the tables' place may be dropped where this directory made it, or where it says that it is this
// node's: an emptied directory must come back to its database, and nobody else's rows may go.
func TestClaim(t *testing.T) {
	ours := model.Identity{Cluster: "c", Node: "node1", Store: "s"}
	owner := func(cluster, node string) model.StoreState {
		return model.StoreState{Identity: model.Identity{Cluster: cluster, Node: node, Store: "of before"}}
	}
	for name, test := range map[string]struct {
		state   model.StoreState
		made    bool
		refused bool
	}{
		"nobody says whose":           {refused: true},
		"nobody says whose, but made": {made: true},
		"of this node":                {state: owner("c", "node1")},
		"of a former cluster":         {state: owner("b", "node1")},
		"of a node without a cluster": {state: owner("", "node1"), refused: true},
		"of a cluster without a node": {state: owner("c", ""), refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			a, path := mustApplier(t, ours), t.TempDir()
			dir, err := datadir.Open(path, "node1")
			require.NoError(t, err)
			require.NoError(t, dir.SetCluster(datadir.Membership{Cluster: ours.Cluster, Former: []string{"b"}}))
			a.dir, a.store, a.discardStore = dir, "the database", "the statement"
			if test.made {
				require.NoError(t, dir.NoteStoreMade())
			}
			a.service.(*fakestore.Service).Store.Table["somebody's"] = model.Version{}
			tables, err := a.claim(t.Context(), judge.Case{State: test.state, Ours: a.dir.Identity(), Former: a.dir.Former()})
			require.NoError(t, dir.Close())
			reopened, errOpen := datadir.Open(path, "node1")
			require.NoError(t, errOpen)
			defer func() { require.NoError(t, reopened.Close()) }()
			require.Equal(t, !test.refused, reopened.Noted().StoreMade, "what it remembers")
			if test.refused {
				require.ErrorIs(t, err, model.ErrForeignStore)
				require.ErrorContains(t, err, "the database holds versions")
				require.ErrorContains(t, err, "the statement")
				return
			}
			require.NoError(t, err)
			require.Equal(t, []string{"versions"}, tables)
		})
	}
}
