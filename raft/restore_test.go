package raft

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/snapshot"
	"versiond/test/fakestore"
	"versiond/test/units"
)

func (n *testNode) mustBackup(t *testing.T) []byte {
	t.Helper()
	view, at, err := n.OpenView(t.Context())
	require.NoError(t, err)
	var file bytes.Buffer
	header := snapshot.BackupHeader{Cluster: n.Identity().Cluster, Index: at.Index, Term: at.Term, Time: time.Now()}
	require.NoError(t, snapshot.WriteBackup(t.Context(), &file, header, view))
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
	left, err := filepath.Glob(n.dir.File(datadir.ScratchPattern))
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
	file, want := n.mustBackup(t), c.store.Rows()
	n.mustAdd(t, "later", 10)
	n.proposeUnits(t, withKey("2", model.Single(add("later-keyed"))))
	n.propose(t, model.Command{Type: model.CommandDelete, ID: "kept-007"})

	before := n.AppliedIndex()
	index, err := n.restoreBytes(t, file, false)
	require.NoError(t, err)
	require.Greater(t, index, before)
	require.Equal(t, want, c.store.Rows())
	outcome := n.propose(t, add("after"))
	require.Greater(t, outcome[0].Revision, model.Revision(index, 0))
	n.requireNoSpool(t)
	again := n.proposeUnits(t, withKey("1", model.Single(add("kept-keyed"))), withKey("2", model.Single(add("later-keyed"))))
	require.Equal(t, model.UnitOutcome{Outcomes: first[0].Outcomes, Replayed: true}, again[0], "the backup remembers it")
	require.False(t, again[1].Replayed, "what the restore undid is not remembered as done")

	n.close(t)
	c.store.Drop()
	n = c.mustLead(t)
	n.mustAdd(t, "again", 1)
	require.Len(t, c.store.Rows(), len(want)+3)
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
	rows, before := c.store.Rows(), n.AppliedIndex()
	_, err := n.restoreBytes(t, file, false)
	require.ErrorIs(t, err, model.ErrInvalid)
	require.ErrorContains(t, err, "another")
	require.Equal(t, rows, c.store.Rows())
	require.Equal(t, before, n.AppliedIndex())

	index, err := n.restoreBytes(t, file, true)
	require.NoError(t, err)
	seen := map[uint64]bool{}
	for id, v := range c.store.Rows() {
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
		"two dots":    {ID: "a/..", VersionNo: "1", Platform: "linux", Revision: 1},
		"no revision": {ID: "b", VersionNo: "1", Platform: "linux"},
	} {
		store := fakestore.New()
		store.State, store.Table = &model.StoreState{}, map[string]model.Version{"a": good, record.ID: record}
		view, err := fakestore.NewService(store).OpenViewInternal(t.Context())
		require.NoError(t, err)
		var file bytes.Buffer
		require.NoError(t, snapshot.WriteBackup(t.Context(), &file, snapshot.BackupHeader{Cluster: "cluster1"}, view))
		_, err = n.ReceiveBackup(t.Context(), &file)
		require.ErrorIs(t, err, model.ErrInvalid, name)
	}
}

// A body that breaks off must be told from a disk that is full, and its cause must be kept.
func TestBodyThatFails(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	_, err := n.ReceiveBackup(t.Context(), io.MultiReader(bytes.NewReader([]byte("versiond backup 1\n")), failing{}))
	require.ErrorIs(t, err, model.ErrInvalid)
	require.ErrorIs(t, err, fakestore.ErrFake)
	n.requireNoSpool(t)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fakestore.ErrFake }

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
				_, _ = n.Propose(context.Background(), units.Singles(add(fmt.Sprintf("b-%d", i)))) // only there to be in the way
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
	require.Zero(t, c.store.ViewsOpen)
}

// What a killed process left must not pile up.
func TestLeftOverSpoolIsRemoved(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.close(t)
	left := filepath.Join(c.path, "scratch-1.tmp")
	require.NoError(t, os.WriteFile(left, []byte("half"), 0o600))
	c.mustLead(t)
	require.NoFileExists(t, left)
}
