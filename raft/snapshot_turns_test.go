package raft

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// mustBeginSnapshot begins one that cannot go on before release is called; taken then has what came of it.
func mustBeginSnapshot(t *testing.T, n *Node, store *fakeStore) (taken chan error, release func()) {
	t.Helper()
	release = store.holdPages()
	before := store.openViews()
	taken = make(chan error, 1)
	go func() { taken <- n.current().raft.Snapshot().Error() }()
	require.Eventually(t, func() bool { return store.openViews() > before }, 10*time.Second, time.Millisecond)
	return taken, release
}

func lastSnapshotIndex(t *testing.T, n *Node) uint64 {
	t.Helper()
	index, err := strconv.ParseUint(n.current().raft.Stats()["last_snapshot_index"], 10, 64)
	require.NoError(t, err)
	return index
}

// A snapshot of before must not be noted as the last one after a restore: on the leader no write would be
// committed any more, and its followers would be sent the backup until they end (hashicorp/raft#248).
func TestSnapshotThatIsBeingTakenGivesWayToARestore(t *testing.T) {
	c := mustTrio(t)
	for _, n := range c.nodes[:2] { // the leader, and a follower
		leader := &testNode{Node: c.nodes[0]}
		mustPropose(t, leader.Node, "before-"+n.Identity().Node)
		require.NoError(t, n.WaitApplied(t.Context(), leader.AppliedIndex()))
		backup := leader.mustBackup(t)
		taken, release := mustBeginSnapshot(t, n, c.rows[n])
		index, err := leader.restoreBytes(t, backup, false)
		require.NoError(t, err)
		require.NoError(t, n.WaitApplied(t.Context(), index))
		release()
		require.ErrorContains(t, <-taken, errRestoredMeanwhile.Error())
		require.Equal(t, index, lastSnapshotIndex(t, n))
		mustPropose(t, leader.Node, "after-"+n.Identity().Node)
		c.requireEqual(t, leader.Node)
		require.NoError(t, n.current().raft.Snapshot().Error(), "the next one")
	}
}

// A node that stops must not wait for a large snapshot.
func TestStopBreaksOffTheSnapshotThatIsBeingTaken(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 3)
	taken, release := mustBeginSnapshot(t, n.Node, c.store)
	defer release()
	closed := make(chan struct{})
	go func() { defer close(closed); n.close(t) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("it waits")
	}
	require.Error(t, <-taken)
	require.Zero(t, c.store.openViews())
}

// Only two snapshots are kept: a second restore that can still be undone would push out the one from before
// the first, and the node could not start without either.
func TestSecondRestoreWaitsForTheFirst(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	n.mustAdd(t, "a", 3)
	backup := n.mustBackup(t)
	n.fsm.queue.pushRestore(n.CommitIndex()+10, true)
	_, err := n.restoreBytes(t, backup, false)
	require.ErrorIs(t, err, model.ErrTooManyRequests)
}

// A restore must not begin before hashicorp/raft has noted the snapshot that was being taken, or has not.
func TestRestoreWaitsForTheSnapshotsEnd(t *testing.T) {
	var turns snapshotTurns
	taken := newVersionSnapshot(&turns, unobserved{})
	taken.request = newViewRequest(0)
	require.NoError(t, turns.begin(taken))
	late, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := turns.bar(late)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Error(t, taken.ctx.Err(), "it is not told to end")

	time.AfterFunc(20*time.Millisecond, taken.Release)
	lift, err := turns.bar(t.Context())
	require.NoError(t, err)
	<-taken.released
	require.ErrorIs(t, turns.begin(taken), errRestoredMeanwhile)
	lift()
	require.NoError(t, turns.begin(newVersionSnapshot(&turns, unobserved{})))
}
