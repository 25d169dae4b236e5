package raft

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/raft/raftlog"
	"versiond/test/fakestore"
)

// mustBeginSnapshot begins one that cannot go on before release is called; taken then has what came of it.
func mustBeginSnapshot(t *testing.T, n *Node, store *fakestore.Store) (taken chan error, release func()) {
	t.Helper()
	release = store.HoldPages()
	before := store.OpenViews()
	taken = make(chan error, 1)
	go func() { taken <- n.current().raft.Snapshot().Error() }()
	require.Eventually(t, func() bool { return store.OpenViews() > before }, 10*time.Second, time.Millisecond)
	return taken, release
}

func lastSnapshotIndex(t *testing.T, n *Node) uint64 {
	t.Helper()
	index, err := strconv.ParseUint(n.current().raft.Stats()["last_snapshot_index"], 10, 64)
	require.NoError(t, err)
	return index
}

// A snapshot of before must not be noted as the last one after another was installed: the node could not say any
// more what goes before its log (hashicorp/raft#248).
func TestSnapshotThatIsBeingTakenGivesWayToOneThatIsInstalled(t *testing.T) {
	c := mustTrio(t)
	leader, follower := c.nodes[0], c.nodes[1]
	mustPropose(t, leader, "before")
	require.NoError(t, follower.WaitApplied(t.Context(), leader.AppliedIndex()))
	taken, release := mustBeginSnapshot(t, follower, c.rows[follower])
	mustPropose(t, leader, "meanwhile")
	require.NoError(t, leader.current().raft.Snapshot().Error())
	newest, err := raftlog.NewestSnapshot(leader.stores.Snapshots)
	require.NoError(t, err)
	require.NoError(t, sendSnapshot(t, leader, follower, newest))
	release()
	require.ErrorContains(t, <-taken, errInstalledMeanwhile.Error())
	require.Equal(t, newest.Index, lastSnapshotIndex(t, follower))
	c.requireFollows(t, leader, follower)
	require.NoError(t, follower.current().raft.Snapshot().Error(), "the next one")
}

// A snapshot of before a restore that ends in the middle of it, or after it, must leave the log what the restore needs.
func TestSnapshotOfBeforeARestoreMayEndDuringIt(t *testing.T) {
	c := mustTrio(t)
	leader := &testNode{Node: c.nodes[0]}
	mustPropose(t, leader.Node, "before")
	backup := leader.mustBackup(t)
	for _, n := range c.nodes[:2] { // the leader, and a follower
		require.NoError(t, n.WaitApplied(t.Context(), leader.AppliedIndex()))
		taken, release := mustBeginSnapshot(t, n, c.rows[n])
		index, err := leader.restoreBytes(t, backup, false)
		require.NoError(t, err)
		require.NoError(t, n.WaitApplied(t.Context(), index))
		release()
		require.NoError(t, <-taken)
		require.Less(t, lastSnapshotIndex(t, n), index)
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
	require.Zero(t, c.store.OpenViews())
}

// Hashicorp/raft gives a snapshot up unwritten while the members change, where its file cannot be made, and when it
// stops. A view that stayed open would keep the store from ever dropping what is replaced.
func TestViewOfASnapshotThatIsGivenUpIsClosed(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 3)
	given, err := n.fsm.Snapshot()
	require.NoError(t, err)
	require.Eventually(t, func() bool { return c.store.OpenViews() == 1 }, 10*time.Second, time.Millisecond)
	given.Release()
	require.Zero(t, c.store.OpenViews())
	_, err = given.(*versionSnapshot).request.wait(t.Context())
	require.ErrorIs(t, err, errViewLate, "nobody may come for it any more")
}
