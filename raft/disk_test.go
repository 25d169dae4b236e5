package raft

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/test/fakestore"
	"versiond/test/units"
)

var errDiskFull = &os.PathError{Op: "write", Path: "raft.db", Err: syscall.ENOSPC}

// A leader whose log can no longer be written must cease to lead soon, though hashicorp/raft would go on
// sending heartbeats; the others go on, and it catches up by itself. If this fails, a full or hanging disk
// of one node stops the writes of the whole cluster (hashicorp/raft#503).
func TestLeaderWithABrokenDiskIsReplaced(t *testing.T) {
	faults := map[string]struct {
		breaks func(*faultyDisk) (mend func())
		says   string
		within time.Duration
	}{
		"full": {func(f *faultyDisk) func() { f.set(errDiskFull, nil); return func() { f.set(nil, nil) } }, "make room in", 5 * time.Second},
		"hanging": {func(f *faultyDisk) func() {
			hang := make(chan struct{})
			f.set(nil, hang)
			return func() { f.set(nil, nil); close(hang) }
		}, "does not answer", 7 * time.Second},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustTrio(t)
			broken := c.nodes[0]
			mustPropose(t, broken, "before")
			mend := fault.breaks(c.disks[broken])
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), fault.within)
			_, err := broken.Propose(ctx, units.Singles(add("in-between")))
			cancel()
			require.ErrorIs(t, err, model.ErrOutcomeUnknown)
			leader := c.leaderBut(t, broken, fault.within)
			t.Logf("another node leads after %s", time.Since(began))
			mustPropose(t, leader, "meanwhile")

			require.ErrorContains(t, broken.LogFailure(), fault.says)
			require.False(t, broken.IsLeader())
			_, err = broken.LeaderIndex(t.Context())
			require.ErrorIs(t, err, model.ErrNotLeader, "a stale read at level=leader")
			ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			_, err = broken.Propose(ctx, units.Singles(add("refused")))
			cancel()
			require.ErrorIs(t, err, model.ErrNotLeader)

			mend()
			require.Eventually(t, func() bool { return broken.LogFailure() == nil }, 5*time.Second, time.Millisecond)
			require.Never(t, broken.IsLeader, 200*time.Millisecond, time.Millisecond, "it counted itself as leader again")
			mustPropose(t, leader, "after")
			c.requireEqual(t, leader)
		})
	}
}

func mustPropose(t *testing.T, n *Node, id string) {
	t.Helper()
	outcomes, err := n.Propose(t.Context(), units.Singles(add(id)))
	require.NoError(t, err, id)
	require.Equal(t, model.OutcomeDone, outcomes[0].Outcomes[0].Code, id)
}

// A follower's full disk must cost nobody anything, and its vote and term must be written before they
// count: where they cannot be, hashicorp/raft panics.
func TestFollowerWithABrokenDiskCatchesUp(t *testing.T) {
	c := mustTrio(t)
	leader, broken := c.nodes[0], c.nodes[1]
	c.disks[broken].set(errDiskFull, nil)
	for i := range 20 {
		mustPropose(t, leader, fmt.Sprint("id-", i))
	}
	require.Eventually(t, func() bool { return broken.LogFailure() != nil }, 5*time.Second, time.Millisecond)
	require.NoError(t, leader.TransferLeadership(t.Context(), "node3", c.nodes[2].Address())) // a new term, and a vote
	mustPropose(t, c.leaderBut(t, broken, 5*time.Second), "in-another-term")
	c.disks[broken].set(nil, nil)
	c.requireEqual(t, c.leaderBut(t, broken, 5*time.Second))
}

// A vote that cannot be written must wait for the disk. If this fails, the process dies with a stack of
// hashicorp/raft, or a node forgets whom it voted for.
func TestTermsAndVotesWaitForTheDisk(t *testing.T) {
	c := mustTrio(t)
	for _, n := range c.nodes[1:] {
		c.disks[n].set(errDiskFull, nil)
	}
	require.NoError(t, c.nodes[0].Close())
	require.Eventually(t, func() bool { return c.nodes[1].LogFailure() != nil || c.nodes[2].LogFailure() != nil }, 10*time.Second, 5*time.Millisecond)
	for _, n := range c.nodes[1:] {
		c.disks[n].set(nil, nil)
	}
	mustPropose(t, c.leaderBut(t, c.nodes[0], 10*time.Second), "elected-after-all")
}

// A node must close although its disk never answers, or fails for ever: a supervisor waits for it.
func TestNodeClosesWhileItsDiskIsBroken(t *testing.T) {
	for name, hang := range map[string]chan struct{}{"full": nil, "hanging": make(chan struct{})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := &faultyDisk{}
			c := newTestConfig(t)
			c.wrapLog = disk.over
			n := c.mustLead(t)
			disk.set(errDiskFull, hang)
			go func() { _, _ = n.Propose(context.Background(), units.Singles(add("never"))) }()
			require.Eventually(t, func() bool { return n.LogFailure() != nil }, 5*time.Second, time.Millisecond)
			closed := make(chan error, 1)
			go func() { closed <- n.Close() }()
			select {
			case err := <-closed:
				require.Equal(t, hang != nil, err != nil, "%v", err)
			case <-time.After(5 * time.Second):
				t.Fatal("the node does not close")
			}
			if hang != nil {
				close(hang)
				require.Eventually(t, func() bool { return n.stores.Close() == nil }, 5*time.Second, time.Millisecond)
			}
		})
	}
}

// What starts a node must be told that its disk fails: to wait there would leave it half open, without
// anybody who could say so.
func TestBrokenDiskIsReportedWhileANodeStarts(t *testing.T) {
	disk := &faultyDisk{fail: errDiskFull}
	c := newTestConfig(t)
	c.wrapLog = disk.over
	n := c.mustOpen(t)
	require.ErrorContains(t, n.Bootstrap("cluster1"), "no space left on device")
	disk.set(nil, nil)
	n.close(t)
	n = c.mustLead(t)
	n.close(t)
	dir, err := datadir.Open(c.path, "node1")
	require.NoError(t, err)
	defer func() { require.NoError(t, dir.Close()) }()
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	disk.set(errDiskFull, nil)
	_, err = RaftInitializerImpl{Config: NodeConfig{Address: "127.0.0.1:7001", Dir: dir, Listener: listener, Peers: noPeers{}, Log: slog.New(slog.DiscardHandler), Tuning: c.tuning, wrapLog: disk.over}}.InitRaft(fakestore.NewService(c.store))
	require.ErrorContains(t, err, "no space left on device", "hashicorp/raft writes its term when it starts, and panics where it cannot")
}
