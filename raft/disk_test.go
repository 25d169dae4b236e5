package raft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/transport"
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
			_, err := broken.Propose(ctx, model.Singles(add("in-between")))
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
			_, err = broken.Propose(ctx, model.Singles(add("refused")))
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
	outcomes, err := n.Propose(t.Context(), model.Singles(add(id)))
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
			go func() { _, _ = n.Propose(context.Background(), model.Singles(add("never"))) }()
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
				require.Eventually(t, func() bool { return !n.stores.disk.hangs() }, 5*time.Second, time.Millisecond)
			}
			require.NoError(t, n.stores.files.Close())
		})
	}
}

// A log that is written in the end must be said to be so, once, and be counted; a line a try would fill
// the disk for good.
func TestBrokenDiskIsLoggedOnceAndCounted(t *testing.T) {
	var text lockedBuffer
	observer := &countingObserver{}
	d := newDisk("/data/node1", slog.New(slog.NewTextHandler(&text, nil)), observer, nil)
	d.running.Store(true)
	tries := 0
	require.NoError(t, d.write(func() error {
		if tries++; tries < 5 {
			return errDiskFull
		}
		return nil
	}))
	require.Equal(t, 5, tries)
	require.EqualValues(t, 4, observer.logFailures)
	require.Equal(t, 1, strings.Count(text.String(), "cannot be written"), text.String())
	require.Equal(t, 1, strings.Count(text.String(), "can be written again"), text.String())
	require.Contains(t, text.String(), "no space left on device; make room in /data/node1")
	require.NoError(t, d.err())
}

// countingObserver counts failures of the log, on one goroutine.
type countingObserver struct {
	unobserved
	logFailures int
}

func (o *countingObserver) LogFailed() { o.logFailures++ }

// lockedBuffer may be written to from any goroutine.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
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
	_, err = NewRaftNode(NodeConfig{Address: "127.0.0.1:7001", Dir: dir, Listener: listener, Peers: noPeers{}, Log: slog.New(slog.DiscardHandler), Tuning: c.tuning, wrapLog: disk.over}, newVersionFSM(newFakeService(c.store)))
	require.ErrorContains(t, err, "no space left on device", "hashicorp/raft writes its term when it starts, and panics where it cannot")
}

// gaplessLog is a log that takes no entry twice, as raft-wal is.
type gaplessLog struct{ *raft.InmemStore }

func (gaplessLog) IsMonotonic() bool { return true }

func (g gaplessLog) StoreLogs(logs []*raft.Log) error {
	if last, _ := g.LastIndex(); logs[0].Index != last+1 {
		return errors.New("not the next one")
	}
	return g.InmemStore.StoreLogs(logs)
}

// A try that is said to have failed may have written all the same; another kind of log store must not
// refuse the next one for that, for ever.
func TestEntriesThatWereWrittenAllTheSameAreTakenBack(t *testing.T) {
	d := newDisk("", slog.New(slog.DiscardHandler), unobserved{}, nil)
	d.running.Store(true)
	inner := gaplessLog{raft.NewInmemStore()}
	log := &heldLog{LogStore: &lyingLog{gaplessLog: inner}, disk: d}
	stored := make(chan error, 1)
	go func() { stored <- log.StoreLogs([]*raft.Log{{Index: 1, Term: 1}, {Index: 2, Term: 1}}) }()
	select {
	case err := <-stored:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it is refused again and again")
	}
	last, err := inner.LastIndex()
	require.NoError(t, err)
	require.EqualValues(t, 2, last)
}

// lyingLog says once that it has failed, and has not.
type lyingLog struct {
	gaplessLog
	lied bool
}

func (l *lyingLog) StoreLogs(logs []*raft.Log) error {
	err := l.gaplessLog.StoreLogs(logs)
	if err == nil && !l.lied {
		l.lied = true
		return errDiskFull
	}
	return err
}

// The end of a log that a leader replaces has to be cut off, whatever the disk does; compaction need not
// be waited for, and on a full disk would wait for ever.
func TestOnlyTheEndOfTheLogIsCutOffAtAnyPrice(t *testing.T) {
	d := newDisk("", slog.New(slog.DiscardHandler), unobserved{}, nil)
	d.running.Store(true)
	inner := &failingDeletes{InmemStore: raft.NewInmemStore(), fails: 3}
	log := &heldLog{LogStore: inner, disk: d}
	for i := range uint64(10) {
		require.NoError(t, inner.StoreLog(&raft.Log{Index: i + 1}))
	}
	require.ErrorIs(t, log.DeleteRange(1, 5), syscall.ENOSPC)
	require.NoError(t, log.DeleteRange(8, 10))
	last, err := inner.LastIndex()
	require.NoError(t, err)
	require.EqualValues(t, 7, last)
}

type failingDeletes struct {
	*raft.InmemStore
	fails int
}

func (f *failingDeletes) DeleteRange(first, last uint64) error {
	if f.fails > 0 {
		f.fails--
		return errDiskFull
	}
	return f.InmemStore.DeleteRange(first, last)
}

// A node that led when its disk failed must not take itself for the leader the moment the disk is back:
// others may have elected one, and hashicorp's main loop has yet to hear of it. If this fails, it serves
// stale reads at level=leader. A failure too short for that costs nothing.
func TestNodeDoubtsItsLeadAfterItsDiskWasBroken(t *testing.T) {
	for length, doubts := range map[time.Duration]bool{0: false, harmless + 50*time.Millisecond: true} {
		d := newDisk("", slog.New(slog.DiscardHandler), unobserved{}, nil)
		held := d.hold(errDiskFull, false)
		require.False(t, d.mayLead())
		time.Sleep(length) //nolint:forbidigo // how long it lasts is what is tested
		d.release(held)
		require.Equal(t, doubts, !d.mayLead(), "after %s", length)
		require.Eventually(t, d.mayLead, 2*unproven, time.Millisecond)
	}
}
