package service

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func (n *testNode) mustBackup(t *testing.T) []byte {
	t.Helper()
	ctx := within(t, 15*time.Second)
	index, write, err := n.OpenBackup(ctx, model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err)
	require.NotZero(t, index)
	var file bytes.Buffer
	require.NoError(t, write(ctx, &file))
	return file.Bytes()
}

func (n *testNode) restore(t *testing.T, file []byte, foreign bool) (model.Restored, error) {
	t.Helper()
	return n.Restore(t.Context(), bytes.NewReader(file), model.RestoreOptions{Foreign: foreign, Timeout: 15 * time.Second})
}

// Any node takes a backup, with all that was acknowledged before, and any node restores it on all. If
// this fails, a backup lacks writes or a restore leaves nodes that differ.
func TestFollowersBackUpAndRestore(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	for i := range 20 {
		nodes[0].mustAdd(t, fmt.Sprintf("kept-%d", i), "1")
	}
	file := nodes[1].mustBackup(t)
	nodes[0].mustAdd(t, "later", "1")
	kept := nodes[0].mustGet(t, "kept-7")

	restored, err := nodes[2].restore(t, file, false)
	require.NoError(t, err)
	require.EqualValues(t, 20, restored.Records)
	require.Contains(t, nodes[0].peers.called(), "Restore "+nodes[0].address)
	for _, n := range nodes {
		require.Equal(t, kept, n.mustGet(t, "kept-7"))
		_, err := n.GetVersionByID(within(t, 15*time.Second), "later", model.ReadOptions{Level: model.LevelLinearizable})
		require.ErrorIs(t, err, model.ErrNotFound)
		require.Equal(t, []model.ChangeOp{model.ChangeCreate}, n.mustHistory(t, "kept-7"))
		_, err = n.history(t, "later")
		require.ErrorIs(t, err, model.ErrNotFound)
		// Whoever watched has to begin anew. A node that has yet to load the backup has answered by the leader.
		eventually(t, func() bool { return n.mysql.changesFloor() == model.Revision(restored.Index, 0) })
	}
	after := nodes[1].mustAdd(t, "later", "2")
	require.Greater(t, after.Record.Revision, model.Revision(restored.Index, 0))
}

// A restore that is refused must change nothing, wherever it is asked for.
func TestRefusedRestoreChangesNothing(t *testing.T) {
	t.Parallel()
	other := nodeOptions{}.mustLead(t)
	other.mustAdd(t, "theirs", "1")
	file := other.mustBackup(t)
	nodes := mustCluster(t, 3)
	kept := nodes[0].mustAdd(t, "ours", "1").Record
	for _, n := range nodes {
		_, err := n.restore(t, file, false)
		require.ErrorIs(t, err, model.ErrInvalid)
		_, err = n.restore(t, file[:len(file)-1], true)
		require.ErrorIs(t, err, model.ErrInvalid)
		require.Equal(t, kept, n.mustGet(t, "ours"))
	}
	_, err := nodes[1].restore(t, file, true)
	require.NoError(t, err)
	require.Equal(t, "1", nodes[2].mustGet(t, "theirs").VersionNo)
	require.Empty(t, nodes[2].mustHistory(t, "theirs"), "its changes have another cluster's revisions")
	_, err = nodes[0].history(t, "ours")
	require.ErrorIs(t, err, model.ErrNotFound)
}

func (n *testNode) history(t *testing.T, id string) (model.History, error) {
	t.Helper()
	history, _, err := n.History(within(t, 15*time.Second), model.HistoryOptions{ID: id, Limit: 100}, model.ReadOptions{Level: model.LevelLinearizable})
	return history, err
}

func (n *testNode) mustHistory(t *testing.T, id string) (ops []model.ChangeOp) {
	t.Helper()
	history, err := n.history(t, id)
	require.NoError(t, err)
	for _, c := range history.Items {
		ops = append(ops, c.Op)
	}
	return ops
}

// Redis keeps values of the time before a restore. None of them may be taken for a restored record, also
// where another cluster's record has the very revision that a record had here.
func TestCachesOfBeforeARestoreAreNotServed(t *testing.T) {
	t.Parallel()
	other := nodeOptions{}.mustLead(t)
	theirs := other.mustAdd(t, "a", "theirs").Record
	file := other.mustBackup(t)

	redisDao := mustRedis(t)
	n := nodeOptions{redisDao: redisDao}.mustLead(t)
	ours := n.mustAdd(t, "a", "ours").Record
	require.Equal(t, theirs.Revision, ours.Revision, "the case that is tested")
	own := n.mustBackup(t)
	updated, err := n.UpdateVersion(t.Context(), record("a", "updated"), model.WriteOptions{})
	require.NoError(t, err)
	eventually(t, func() bool {
		cached, err := redisDao.Get(context.Background(), "a")
		return err == nil && cached.Revision == updated.Record.Revision
	})

	_, err = n.restore(t, own, false)
	require.NoError(t, err)
	require.Equal(t, ours, n.mustGet(t, "a"))
	_, err = n.restore(t, file, true)
	require.NoError(t, err)
	got := n.mustGet(t, "a")
	require.Equal(t, "theirs", got.VersionNo)
	require.Greater(t, got.Revision, updated.Record.Revision)
	_, err = n.UpdateVersion(t.Context(), record("a", "lost update"), model.WriteOptions{IfRevision: ours.Revision})
	require.ErrorIs(t, err, model.ErrRevisionMismatch)
}

// Without a leader the records that a node has must still be saved.
func TestBackupWithoutALeader(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	nodes[1].mustAdd(t, "a", "1")
	eventually(t, func() bool { return nodes[1].AppliedIndex() == nodes[0].AppliedIndex() })
	nodes[0].close()
	nodes[2].close()
	_, _, err := nodes[1].OpenBackup(within(t, time.Second), model.ReadOptions{Level: model.LevelLinearizable})
	require.ErrorIs(t, err, model.ErrNoLeader)
	_, write, err := nodes[1].OpenBackup(within(t, 15*time.Second), model.ReadOptions{Level: model.LevelNone})
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, write(t.Context(), &file))
	backup, err := nodes[1].node.ReceiveBackup(t.Context(), bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	require.EqualValues(t, 1, backup.Records)
	require.NoError(t, backup.Close())
	_, err = nodes[1].Restore(t.Context(), bytes.NewReader(file.Bytes()), model.RestoreOptions{Timeout: time.Second})
	require.ErrorIs(t, err, model.ErrNoLeader)
}
