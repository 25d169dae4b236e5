package raft

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

func (n *testNode) mustBackup(t *testing.T) []byte {
	t.Helper()
	view, at, err := n.OpenView(t.Context())
	require.NoError(t, err)
	var file bytes.Buffer
	header := BackupHeader{Cluster: n.Identity().Cluster, Index: at.Index, Term: at.Term, Time: time.Now()}
	require.NoError(t, WriteBackup(t.Context(), &file, header, view))
	require.NoError(t, view.Close())
	return file.Bytes()
}

func (n *testNode) restoreBytes(t *testing.T, file []byte, foreign bool) (uint64, error) {
	t.Helper()
	backup, err := n.ReceiveBackup(t.Context(), bytes.NewReader(file))
	require.NoError(t, err)
	defer func() { require.NoError(t, backup.Close()) }()
	return n.Restore(t.Context(), backup, foreign)
}

func (n *testNode) requireNoSpool(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(n.dir.file(spoolPattern))
	require.NoError(t, err)
	require.Empty(t, left)
}

// A restored backup must bring back exactly its records with their revisions, and later writes must
// get higher ones. It has to survive the loss of the store like everything else.
func TestRestoreBringsBackTheBackup(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "kept", 200)
	first := n.proposeUnits(t, withKey("1", model.Single(add("kept-keyed"))))
	file, want := n.mustBackup(t), c.store.snapshotRows()
	n.mustAdd(t, "later", 10)
	n.proposeUnits(t, withKey("2", model.Single(add("later-keyed"))))
	n.propose(t, model.Command{Type: model.CommandDelete, ID: "kept-007"})

	before := n.AppliedIndex()
	index, err := n.restoreBytes(t, file, false)
	require.NoError(t, err)
	require.Greater(t, index, before)
	require.Equal(t, want, c.store.snapshotRows())
	outcome := n.propose(t, add("after"))
	require.Greater(t, outcome[0].Revision, model.Revision(index, 0))
	n.requireNoSpool(t)
	again := n.proposeUnits(t, withKey("1", model.Single(add("kept-keyed"))), withKey("2", model.Single(add("later-keyed"))))
	require.Equal(t, model.UnitOutcome{Outcomes: first[0].Outcomes, Replayed: true}, again[0], "the backup remembers it")
	require.False(t, again[1].Replayed, "what the restore undid is not remembered as done")

	n.close(t)
	c.store.drop()
	n = c.mustLead(t)
	n.mustAdd(t, "again", 1)
	require.Len(t, c.store.snapshotRows(), len(want)+3)
}

// Another cluster's revisions may have been given to other contents here: an ETag or a cached value of
// before must not match what is restored.
func TestForeignRecordsGetNewRevisions(t *testing.T) {
	theirs := newTestConfig(t)
	other := theirs.mustOpen(t)
	require.NoError(t, other.Bootstrap("another"))
	require.Eventually(t, other.IsLeader, 10*time.Second, 5*time.Millisecond)
	for i := range 4100 / 50 {
		commands := make([]model.Command, 50)
		for j := range commands {
			commands[j] = add(fmt.Sprintf("a-%05d", i*50+j))
		}
		other.propose(t, commands...)
	}
	other.proposeUnits(t, withKey("1", model.Unit{Commands: []model.Command{add("b"), remove("b")}}))
	file := other.mustBackup(t)

	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "ours", 3)
	rows, before := c.store.snapshotRows(), n.AppliedIndex()
	_, err := n.restoreBytes(t, file, false)
	require.ErrorIs(t, err, model.ErrInvalid)
	require.ErrorContains(t, err, "another")
	require.Equal(t, rows, c.store.snapshotRows())
	require.Equal(t, before, n.AppliedIndex())

	index, err := n.restoreBytes(t, file, true)
	require.NoError(t, err)
	seen := map[uint64]bool{}
	for id, v := range c.store.snapshotRows() {
		require.Greater(t, v.Revision, model.Revision(before+1, 0)-1, id)
		require.Less(t, v.Revision, model.Revision(index, 0), id)
		require.False(t, seen[v.Revision], "%d twice", v.Revision)
		seen[v.Revision] = true
	}
	require.Len(t, seen, 4100)
	n.requireNoSpool(t)
}

// Damage must be found before anything changes, wherever it is.
func TestDamagedBackupIsRefused(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	n.mustAdd(t, "a", 20)
	whole := n.mustBackup(t)
	receive := func(file []byte) error {
		backup, err := n.ReceiveBackup(t.Context(), bytes.NewReader(file))
		if err == nil {
			require.NoError(t, backup.Close())
		}
		return err
	}
	require.NoError(t, receive(whole))
	for at := range whole {
		require.ErrorIs(t, receive(whole[:at]), model.ErrInvalid, "cut at %d of %d", at, len(whole))
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x01
		require.ErrorIs(t, receive(damaged), model.ErrInvalid, "altered at %d", at)
	}
	require.ErrorIs(t, receive(append(bytes.Clone(whole), 0)), model.ErrInvalid, "a byte too many")
	n.requireNoSpool(t)
}

// A file whose checksum is right may still hold what no node can store.
func TestImpossibleRecordsAreRefused(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	good := model.Version{ID: "a", VersionNo: "1", Platform: "linux", Revision: 1}
	for name, record := range map[string]model.Version{
		"long":        {ID: strings.Repeat("b", 129), VersionNo: "1", Platform: "linux", Revision: 1},
		"a slash":     {ID: "a/b", VersionNo: "1", Platform: "linux", Revision: 1},
		"no revision": {ID: "b", VersionNo: "1", Platform: "linux"},
	} {
		view := &fakeView{store: newFakeStore(), rows: map[string]model.Version{"a": good, record.ID: record}}
		var file bytes.Buffer
		require.NoError(t, WriteBackup(t.Context(), &file, BackupHeader{Cluster: "cluster1"}, view))
		_, err := n.ReceiveBackup(t.Context(), &file)
		require.ErrorIs(t, err, model.ErrInvalid, name)
	}
}

// A body that breaks off must be told from a disk that is full, and its cause must be kept.
func TestBodyThatFails(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	_, err := n.ReceiveBackup(t.Context(), io.MultiReader(bytes.NewReader([]byte(backupMagic)), failing{}))
	require.ErrorIs(t, err, model.ErrInvalid)
	require.ErrorIs(t, err, errFake)
	n.requireNoSpool(t)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errFake }

// A backup is of one moment though writes go on, and says of which.
func TestBackupIsOfOneMoment(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_, _ = n.Propose(context.Background(), model.Singles(add(fmt.Sprintf("b-%d", i)))) // only there to be in the way
			}
		}
	}()
	for range 20 {
		backup, err := n.ReceiveBackup(t.Context(), bytes.NewReader(n.mustBackup(t)))
		require.NoError(t, err)
		require.EqualValues(t, decidedUpTo(c.store, backup.Header.Index), backup.Records)
		require.NoError(t, backup.Close())
	}
	close(stop)
	<-done
	require.Zero(t, c.store.viewsOpen)
}

// What a killed process left must not pile up.
func TestLeftOverSpoolIsRemoved(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.close(t)
	left := filepath.Join(c.path, "restore-1.spool")
	require.NoError(t, os.WriteFile(left, []byte("half"), 0o600))
	c.mustLead(t)
	require.NoFileExists(t, left)
}

// undecidedApplier is an applier whose newest snapshot, at 20 of term 2, is a restored backup; its log
// ends at 15.
func undecidedApplier(t *testing.T) (a *applier, commit *uint64) {
	t.Helper()
	a, commit = mustApplier(t, model.Identity{Cluster: "c", Node: "node1", Store: "s"}), new(uint64)
	snapshots := raft.NewInmemSnapshotStore()
	_, transport := raft.NewInmemTransport("x")
	sink, err := snapshots.Create(1, 20, 2, raft.Configuration{}, 1, transport)
	require.NoError(t, err)
	data := bytes.Replace(mustSnapshotBytes(t, 3, 0), []byte(snapshotMagic), []byte(restoredMagic), 1)
	_, err = sink.Write(data)
	require.NoError(t, err)
	require.NoError(t, sink.Close())
	a.fsm.snapshots = &snapshotStore{SnapshotStore: snapshots, logs: a.logs}
	*commit = 15
	a.committed = func() uint64 { return *commit }
	a.applied, a.stored = model.Position{Index: 12, Term: 2}, model.Position{Index: 12, Term: 2}
	_, stream, err := a.fsm.snapshots.Open(sink.ID())
	require.NoError(t, err)
	require.NoError(t, a.fsm.Restore(stream))
	return a, commit
}

// A leader that is cut off in the middle of a restore must not have loaded what nobody else has; nor
// may it apply what its own log holds before: that can be undone too.
func TestRestoreWaitsForTheQuorum(t *testing.T) {
	a, commit := undecidedApplier(t)
	for range 3 {
		moved, err := a.step(t.Context())
		require.NoError(t, err)
		require.False(t, moved)
	}
	_, err := a.newestDecided()
	require.ErrorIs(t, err, errUndecided, "nor may a store be built from it")
	require.Equal(t, uint64(12), a.applied.Index)

	*commit = 21
	for a.applied.Index < 20 {
		_, err := a.step(t.Context())
		require.NoError(t, err)
	}
	state, err := a.service.StateInternal(t.Context())
	require.NoError(t, err)
	require.Equal(t, model.Position{Index: 20, Term: 2}, state.Applied)
}

// When a later leader's log goes on without the restore, this node must follow that log and let nobody
// have the snapshot; hashicorp/raft has to be started anew for that.
func TestUndoneRestoreIsForgotten(t *testing.T) {
	a, commit := undecidedApplier(t)
	logs := a.logs.(*raft.InmemStore)
	for index := uint64(16); index <= 21; index++ {
		require.NoError(t, logs.StoreLog(&raft.Log{Index: index, Term: 3, Type: raft.LogNoop}))
	}
	*commit = 21
	_, err := a.step(t.Context())
	require.ErrorIs(t, err, ErrRestoreUndone)
	require.ErrorContains(t, err, "start this node again")
	_, err = newestSnapshot(a.fsm.snapshots)
	require.ErrorIs(t, err, errNoSnapshot)
	_, err = a.service.StateInternal(t.Context())
	require.ErrorIs(t, err, model.ErrNoState, "it was loaded")
}

// An old snapshot that a leader sends to a node with an undecided one must not make the node take that
// one for decided.
func TestOlderSnapshotLeavesTheDecisionOpen(t *testing.T) {
	a, _ := undecidedApplier(t)
	a.queue.pushRestore(11, false)
	require.Equal(t, uint64(20), a.queue.undecidedIndex())
	a.queue.pushRestore(30, false)
	require.Zero(t, a.queue.undecidedIndex())
	require.Equal(t, uint64(30), a.queue.restoreIndex())
	require.Equal(t, uint64(30), a.queue.certainIndex())
}

// A follower must find in the hole of a restore the term that goes before the next entry, or it can
// never take another leader's entries behind it. A leader must find nothing, or it would send its
// followers an entry instead of the records.
func TestHoleIsFilledForFollowersOnly(t *testing.T) {
	a, _ := undecidedApplier(t)
	logs := &holeStore{LogStore: a.logs, snapshots: a.fsm.snapshots}
	var log raft.Log
	require.NoError(t, logs.GetLog(20, &log))
	require.Equal(t, raft.Log{Index: 20, Term: 2, Type: raft.LogNoop}, log)
	require.ErrorIs(t, logs.GetLog(19, &log), raft.ErrLogNotFound)

	logs.observe(&raft.Observation{Data: raft.Leader})
	require.ErrorIs(t, logs.GetLog(20, &log), raft.ErrLogNotFound)
	logs.observe(&raft.Observation{Data: raft.Follower})
	require.ErrorIs(t, logs.GetLog(20, &log), raft.ErrLogNotFound, "it may still be replicating")
	longAgo := time.Now().Add(-2 * replicationEnds)
	logs.led.Store(&longAgo)
	require.NoError(t, logs.GetLog(20, &log))
}

// Only a few snapshots are kept. Those that count no more must not push out the last one that does.
func TestSupersededSnapshotsAreRemoved(t *testing.T) {
	c := newTestConfig(t)
	dir, err := OpenDataDir(c.path, "node1")
	require.NoError(t, err)
	defer func() { require.NoError(t, dir.Close()) }()
	_, transport := raft.NewInmemTransport("x")
	for term := uint64(2); term < 6; term++ {
		stores, err := openStores(dir, slog.New(slog.DiscardHandler), 0)
		require.NoError(t, err)
		index := 10 * term
		sink, err := stores.snapshots.Create(1, index, term, raft.Configuration{}, 1, transport)
		require.NoError(t, err)
		require.NoError(t, sink.Close())
		if term > 2 { // the first one counts
			require.NoError(t, stores.cache.StoreLog(&raft.Log{Index: index, Term: term + 1, Type: raft.LogNoop}))
		}
		newest, err := newestSnapshot(stores.snapshots)
		require.NoError(t, err)
		require.Equal(t, uint64(20), newest.Index)
		require.NoError(t, stores.close())
	}
}
