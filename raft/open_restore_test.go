package raft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/restore"
	"versiond/raft/snapshot"
	"versiond/test/units"
)

// mustReceive returns a backup that is closed with the test.
func (n *testNode) mustReceive(t *testing.T, file []byte) *snapshot.Backup {
	t.Helper()
	b, err := n.ReceiveBackup(t.Context(), bytes.NewReader(file))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// restoreOf is a restore of which the test proposes the steps.
func (n *testNode) restoreOf(b *snapshot.Backup) *restore.Sender {
	return &restore.Sender{Proposer: n.current().proposer, Backup: b}
}

// mustAddPages adds so many records that their backup is cut into parts.
func (n *testNode) mustAddPages(t *testing.T, count int) {
	t.Helper()
	for from := 0; from < count; from += 500 {
		commands := make([]model.Command, min(500, count-from))
		for i := range commands {
			sum := crc32.ChecksumIEEE(fmt.Append(nil, from+i)) // compresses badly
			commands[i] = add(fmt.Sprintf("r-%08x-%08x-%08x-%d", sum, sum*2654435761, sum*40503, from+i))
		}
		n.propose(t, commands...)
	}
}

// The log must keep a restore until it is over, also on a node that was started in the middle of it: a snapshot
// would cut it off, and the node could not load it.
func TestNoSnapshotWhileARestoreIsOpen(t *testing.T) {
	c := newTestConfig(t)
	c.tuning.TrailingLogs = 1
	n := c.mustLead(t)
	n.mustAddPages(t, 6000)
	want := c.store.Rows()
	file := n.mustBackup(t)
	n.mustSnapshot(t)
	n.mustAdd(t, "later", 3)
	b, err := n.ReceiveBackup(t.Context(), bytes.NewReader(file))
	require.NoError(t, err)
	defer func() { _ = b.Close() }() // the node removes the file when it starts
	r := n.restoreOf(b)
	require.Greater(t, b.Size, int64(64<<10), "it is not cut into parts")
	require.NoError(t, r.Send(t.Context()))
	n.mustAdd(t, "during", 3)
	require.ErrorContains(t, n.current().raft.Snapshot().Error(), errRestoreOpen.Error())

	n.close(t)
	n = c.mustLead(t)
	n.mustAdd(t, "again", 1)
	require.ErrorContains(t, n.current().raft.Snapshot().Error(), errRestoreOpen.Error())
	require.Len(t, c.store.Rows(), len(want)+7, "nothing changes before it is committed")
	r.Proposer = n.current().proposer
	index, err := r.Commit(t.Context())
	require.NoError(t, err)
	require.Equal(t, index, n.AppliedIndex())
	require.Equal(t, want, c.store.Rows())
	n.mustSnapshot(t)
}

// What was not sent as a whole, and what another restore has put out, must not be committed.
func TestRestoreThatIsNotWholeChangesNothing(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "kept", 3)
	b := n.mustReceive(t, n.mustBackup(t))
	n.mustAdd(t, "later", 3)
	rows := c.store.Rows()
	refused := func(prepare func(*restore.Sender)) {
		t.Helper()
		r := n.restoreOf(b)
		prepare(r)
		_, err := r.Commit(t.Context())
		require.ErrorIs(t, err, model.ErrTooManyRequests)
		require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
		require.Equal(t, rows, c.store.Rows())
	}
	refused(func(r *restore.Sender) { r.Begin = 1 })
	refused(func(r *restore.Sender) {
		require.NoError(t, r.Send(t.Context()))
		r.Abandon(t.Context())
	})
	another := n.restoreOf(b)
	refused(func(r *restore.Sender) {
		require.NoError(t, r.Send(t.Context()))
		require.NoError(t, another.Send(t.Context()))
	})
	require.Error(t, n.current().raft.Snapshot().Error())
	another.Abandon(t.Context())
	n.mustSnapshot(t)
	_, err := n.Restore(t.Context(), b, false)
	require.NoError(t, err)
	require.Len(t, c.store.Rows(), 3)
}

// A store that fails or dies in the middle of the load is loaded again.
func TestBrokenOffLoadOfARestoreBeginsAgain(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "kept", 5)
	want, file := c.store.Rows(), n.mustBackup(t)
	n.mustAdd(t, "later", 3)
	c.store.Mu.Lock()
	c.store.BreakRestore = true
	c.store.Mu.Unlock()
	_, err := n.restoreBytes(t, file, false)
	require.NoError(t, err)
	require.Equal(t, want, c.store.Rows())

	n.mustAdd(t, "later", 3)
	rows, state := c.store.Copy()
	_, err = n.restoreBytes(t, file, false)
	require.NoError(t, err)
	n.close(t)
	state.Restoring = true // as a node leaves it that dies in the load
	c.store.GoBack(rows, state)
	c.mustLead(t)
	require.Eventually(t, func() bool { return len(c.store.Rows()) == len(want) }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, want, c.store.Rows())
}

// Writes go on during a restore, and the outcome of each is certain: what is acknowledged before the commit is
// replaced, what is acknowledged after it stays.
func TestWritesDuringARestoreHaveCertainOutcomes(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAddPages(t, 2000)
	kept := c.store.Rows()
	file := n.mustBackup(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[string]uint64{}
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("w-%d-%d", w, i)
				outcomes, err := n.Propose(context.Background(), units.Singles(add(id)))
				if err != nil {
					t.Errorf("%s: %v", id, err)
					return
				}
				mu.Lock()
				acknowledged[id] = outcomes[0].Outcomes[0].Revision
				mu.Unlock()
			}
		})
	}
	var index uint64
	for range 5 {
		var err error
		index, err = n.restoreBytes(t, file, false)
		require.NoError(t, err)
	}
	close(stop)
	wg.Wait()
	rows, before, after := c.store.Rows(), 0, 0
	for id, revision := range acknowledged {
		_, there := rows[id]
		require.Equal(t, revision > model.Revision(index, 0), there, id)
		if there {
			after++
		} else {
			before++
		}
	}
	require.NotZero(t, before)
	require.Len(t, rows, len(kept)+after)
}

// A node that joins, or is sent a snapshot, in the middle of a restore must come to the same records.
func TestNodeThatComesInTheMiddleOfARestore(t *testing.T) {
	c := mustTrio(t)
	leader := &testNode{Node: c.nodes[0]}
	leader.mustAddPages(t, 3000)
	file := leader.mustBackup(t)
	mustPropose(t, leader.Node, "later")
	mustCompact(t, leader.Node)
	r := leader.restoreOf(leader.mustReceive(t, file))
	require.NoError(t, r.Send(t.Context()))
	mustPropose(t, leader.Node, "during")
	c.mustOpen(t, "node4") // the log does not go back to its beginning: it is sent the snapshot
	joined := c.nodes[3]
	require.NoError(t, joined.Admit(datadir.Membership{Cluster: "cluster1"}))
	require.NoError(t, leader.AddVoter(t.Context(), "node4", joined.Address()))
	require.NoError(t, joined.WaitApplied(t.Context(), leader.AppliedIndex()))
	require.Len(t, c.rows[joined].Rows(), 3002)
	_, err := r.Commit(t.Context())
	require.NoError(t, err)
	c.requireEqual(t, leader.Node)
	require.Len(t, c.rows[joined].Rows(), 3000)
}

// A leader that is deposed in the middle has changed nothing, and the next one restores the same backup; what the first
// one left in the log must not be in its way.
func TestRestoreThatItsLeaderDidNotEnd(t *testing.T) {
	c := mustTrio(t)
	first := &testNode{Node: c.nodes[0], dir: c.nodes[0].cfg.Dir}
	first.mustAddPages(t, 2000)
	file := first.mustBackup(t)
	mustPropose(t, first.Node, "later")
	b := first.mustReceive(t, file)
	r := first.restoreOf(b)
	require.NoError(t, r.Send(t.Context()))
	require.NoError(t, first.TransferLeadership(t.Context(), c.nodes[1].Identity().Node, c.nodes[1].Address()))
	second := &testNode{Node: c.leaderBut(t, first.Node, 10*time.Second)}
	_, err := first.Restore(t.Context(), b, false)
	require.ErrorIs(t, err, model.ErrNotLeader)
	_, err = r.Commit(t.Context())
	require.ErrorIs(t, err, model.ErrNotLeader)
	require.NoError(t, second.WaitApplied(t.Context(), r.Begin))
	require.Len(t, c.rows[second.Node].Rows(), 2001)

	_, err = second.restoreBytes(t, file, false)
	require.NoError(t, err)
	c.requireEqual(t, second.Node)
	require.Len(t, c.rows[first.Node].Rows(), 2000)
}

// Two restores at once would each put out the other.
func TestSecondRestoreAtOnceIsRefused(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	b := n.mustReceive(t, n.mustBackup(t))
	n.restoring.Lock()
	_, err := n.Restore(t.Context(), b, false)
	require.ErrorIs(t, err, model.ErrTooManyRequests)
	n.restoring.Unlock()
	_, err = n.Restore(t.Context(), b, false)
	require.NoError(t, err)
}

// A restore that runs out of time before its end has changed nothing, and says so.
func TestRestoreThatRunsOutOfTimeIsCertain(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "kept", 3)
	b := n.mustReceive(t, n.mustBackup(t))
	n.mustAdd(t, "later", 1)
	require.NoError(t, n.current().proposer.writes.Acquire(t.Context(), 1), "a write that is on its way")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := n.Restore(ctx, b, false)
	require.ErrorIs(t, err, model.ErrTimeout)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	n.current().proposer.writes.Release(1)
	require.Len(t, c.store.Rows(), 4)
	n.mustSnapshot(t) // it is given up
}

// A load takes long, and a leader may hand over meanwhile. What is committed it will apply, whoever leads by then: it must
// not be left open what came of the restore.
func TestRestoreIsNotGivenUpWhileItLoads(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "kept", 3)
	file := n.mustBackup(t)
	n.current().proposer.hopeless = func() bool { return true }
	c.store.OnLoad = func() { <-time.After(3 * hopelessInterval) }
	index, err := n.restoreBytes(t, file, false)
	require.NoError(t, err)
	require.Equal(t, index, n.AppliedIndex())
}

// failsOnce is a folder of snapshots that cannot be read once.
type failsOnce struct {
	raft.SnapshotStore
	failed atomic.Bool
}

func (s *failsOnce) List() ([]*raft.SnapshotMeta, error) {
	if s.failed.CompareAndSwap(false, true) {
		return nil, errors.New("open snapshots: too many open files")
	}
	return s.SnapshotStore.List()
}

// If this fails, a node ends because its disk could not be read for a moment, just when a restore came to nothing.
func TestCommitOfARestoreThatIsOverOutlastsAPassingError(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "kept", 3)
	r := n.restoreOf(n.mustReceive(t, n.mustBackup(t)))
	r.Begin = 1 // over, or another one has begun
	n.fsm.stores.Snapshots = &failsOnce{SnapshotStore: n.fsm.stores.Snapshots}
	_, err := r.Commit(t.Context())
	require.ErrorIs(t, err, model.ErrTooManyRequests)
	require.NoError(t, n.Err())
	require.Contains(t, c.log.String(), "too many open files", "nobody would know what it waits for")
}
