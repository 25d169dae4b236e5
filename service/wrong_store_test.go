package service

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/snapshot"
	"versiond/test/units"
)

// tampering is what somebody may do to a database behind the node's back, and the statement for it.
var tampering = map[string]string{
	"a row changed":  "UPDATE versions SET version_no = 'forged' WHERE id = 'b'",
	"a row moved on": "UPDATE versions SET version_no = 'forged', revision = revision + 1 WHERE id = 'b'",
	"a row deleted":  "DELETE FROM versions WHERE id = 'b'",
	"a row added":    "INSERT INTO versions (id, version_no, platform, revision) VALUES ('forged', '1', 'linux', 1)",
	"table dropped":  "DROP TABLE versions",
	"state dropped":  "DROP TABLE versiond_state",
}

// What was changed behind the node's back must be found by the next reload, be seen by operators, and
// be mended from the log. If this fails, a node serves somebody's rows for as long as it runs.
func TestReloadFindsWhatSomebodyChanged(t *testing.T) {
	t.Parallel()
	for name, statement := range tampering {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodeOptions{}.mustOpen(t) // the guard does not run yet
			require.NoError(t, n.node.Bootstrap("cluster1"))
			for _, id := range []string{"a", "b", "c"} {
				n.mustAdd(t, id, "1")
			}
			require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
			n.mustBeReady(t)

			n.exec(t, statement)
			require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
			require.Equal(t, []string{"content"}, failing(n.Readiness(t.Context())))
			require.True(t, n.Measures().StoreDiffers)
			require.False(t, n.Status(t.Context()).Serving)
			n.requireServesNothing(t)

			go n.guard.Run(t.Context())
			n.mustBeReady(t)
			n.requireRows(t, "a", "b", "c")
			require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
			require.Empty(t, failing(n.Readiness(t.Context())), "what was built anew is found wrong again")
		})
	}
}

func (n *testNode) requireServesNothing(t *testing.T) {
	t.Helper()
	for _, level := range []model.Level{model.LevelNone, model.LevelLeader, model.LevelLinearizable} {
		_, err := n.GetVersionByID(within(t, 5*time.Second), "a", model.ReadOptions{Level: level})
		require.ErrorIs(t, err, model.ErrNotCaughtUp, level)
		_, _, err = n.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 10}, model.ReadOptions{Level: level})
		require.ErrorIs(t, err, model.ErrNotCaughtUp, level)
	}
}

// requireRows reads the table itself, and lists it.
func (n *testNode) requireRows(t *testing.T, ids ...string) {
	t.Helper()
	page, _, err := n.ListVersions(within(t, 10*time.Second), model.ListOptions{Limit: 100}, model.ReadOptions{Level: model.LevelNone})
	require.NoError(t, err)
	var listed []string
	for _, r := range page.Items {
		require.Equal(t, "1", r.VersionNo)
		listed = append(listed, r.ID)
	}
	require.Equal(t, ids, listed)
}

// A row whose content was changed must not be served once, not even before the next reload: whoever
// reads it finds out.
func TestChangedRowIsNotServedOnce(t *testing.T) {
	t.Parallel()
	reads := map[string]func(ctx context.Context, n *testNode) error{
		"by its id": func(ctx context.Context, n *testNode) error {
			_, err := n.GetVersionByID(ctx, "b", model.ReadOptions{Level: model.LevelNone})
			return err
		},
		"in a list": func(ctx context.Context, n *testNode) error {
			_, _, err := n.ListVersions(ctx, model.ListOptions{Limit: 10}, model.ReadOptions{Level: model.LevelNone})
			return err
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodeOptions{}.mustOpen(t)
			require.NoError(t, n.node.Bootstrap("cluster1"))
			n.mustAdd(t, "b", "1")
			n.mustBeReady(t)
			n.exec(t, tampering["a row changed"])
			n.redis.memory.Clear()
			require.ErrorIs(t, read(within(t, 10*time.Second), n), model.ErrNotCaughtUp)
			go n.guard.Run(t.Context())
			n.mustBeReady(t)
			require.NoError(t, read(within(t, 10*time.Second), n))
			n.requireRows(t, "b")
		})
	}
}

// Neither a snapshot nor a backup may be made of rows that the log did not make: the one would destroy
// what the store is to be built from, the other would bring the rows to every node.
func TestNothingIsMadeOfWrongRows(t *testing.T) {
	for name, statement := range tampering {
		if name == "table dropped" || name == "state dropped" {
			continue // there is nothing to be read
		}
		t.Run(name, func(t *testing.T) {
			a := mustApplied(t)
			a.group(t, []model.Command{add("a", "1"), add("b", "1")})
			require.NoError(t, a.writeBackup(t))
			require.NoError(t, a.mysql.mysqlDao.DB.Exec(statement).Error)
			require.ErrorIs(t, a.writeBackup(t), model.ErrStoreDiffers)
			require.ErrorIs(t, a.trust.Err(), model.ErrStoreDiffers)
		})
	}
}

// writeBackup writes the records in the way in which snapshots and backups are written.
func (a *applied) writeBackup(t *testing.T) error {
	t.Helper()
	view, err := a.OpenViewInternal(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, view.Close()) }()
	return snapshot.WriteBackup(t.Context(), io.Discard, snapshot.BackupHeader{Cluster: "c"}, view)
}

// What was found in the store before it was built anew says nothing of what is there now: a snapshot
// that takes long would otherwise have it built anew once more.
func TestOldFindingsCountNoMore(t *testing.T) {
	a := mustApplied(t)
	a.group(t, []model.Command{add("b", "1")})
	require.NoError(t, a.mysql.mysqlDao.DB.Exec(tampering["a row changed"]).Error)
	view, err := a.OpenViewInternal(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, a.LoadInternal(t.Context(), "cluster1"), model.ErrStoreDiffers)
	require.ErrorIs(t, a.mysql.GetAllVersions(t.Context(), view, func([]model.Version) error { return nil }), model.ErrStoreDiffers)
	require.NoError(t, a.trust.Err())
	require.NoError(t, view.Close())
}

// The changes of clients go on while a reload reads all rows; none of them may look like tampering.
func TestReloadUnderWrites(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	writes, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; writes.Err() == nil; i++ {
			entry := randomEntries(uint64(i), 30)
			for _, commands := range entry {
				_, _, _ = n.ApplyCommands(t.Context(), units.Singles(commands...))
			}
		}
	}()
	for range 20 {
		require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
		require.NoError(t, n.trust.Err())
	}
	cancel()
	<-done
}

// A leader whose store is wrong must let another lead, and be a sound follower afterwards.
func TestLeaderWithWrongRowsHandsOver(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	leader := nodes[0]
	leader.mustAdd(t, "b", "1")
	leader.exec(t, tampering["a row changed"])
	require.NoError(t, leader.ReLoadCacheDataInternal(t.Context()))
	eventually(t, func() bool { return !leader.node.IsLeader() })
	leader.mustBeReady(t)
	result, err := leader.GetVersionByID(within(t, 10*time.Second), "b", model.ReadOptions{Level: model.LevelNone})
	require.NoError(t, err)
	require.Equal(t, "1", result.Record.VersionNo)
}

// servingWhenTold notes, when the log says that the store was built anew, whether the node serves.
type servingWhenTold struct {
	node atomic.Pointer[testNode]
	told chan bool
}

func (w *servingWhenTold) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("was built anew")) {
		w.told <- w.node.Load().guard.Serving()
	}
	return len(line), nil
}

// A store whose log is still to be applied is not built yet, and an operator who reads that it is looks for the
// fault elsewhere.
func TestBuiltAnewIsSaidOnceTheNodeServes(t *testing.T) {
	t.Parallel()
	w := &servingWhenTold{told: make(chan bool, 1)}
	n := nodeOptions{log: w}.mustOpen(t)
	w.node.Store(n)
	require.NoError(t, n.node.Bootstrap("cluster1"))
	n.mustBeReady(t)
	n.mustWriteBatches(t, 1, 4)
	n.exec(t, "UPDATE versions SET version_no = 'forged'")
	require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
	go n.guard.Run(t.Context())
	require.True(t, <-w.told)
}
