package raft

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/test/fakestore"
	"versiond/test/units"
)

// mustLose returns a node with records, and what makes its store lose those that came last.
func (c testConfig) mustLose(t *testing.T, kept, lost int) (n *testNode, goBack func()) {
	t.Helper()
	n = c.mustLead(t)
	n.mustAdd(t, "kept", kept)
	rows, state := c.store.Copy()
	n.mustAdd(t, "lost", lost)
	return n, func() { c.store.GoBack(rows, state) }
}

// A database that was killed may come back without its last commits. The node must not take a snapshot
// of that: the log is cut off behind it, and what it lacks would be gone for good.
func TestNoSnapshotOfAStoreThatWentBack(t *testing.T) {
	c := newTestConfig(t)
	c.tuning.TrailingLogs = 1
	n, goBack := c.mustLose(t, 5, 5)
	goBack()
	require.ErrorContains(t, n.current().raft.Snapshot().Error(), model.ErrStateMoved.Error())
	require.Eventually(t, func() bool { return len(c.store.Rows()) == 10 }, 10*time.Second, 5*time.Millisecond, "the log makes up for it")
	n.mustSnapshot(t)
	meta, err := raftlog.NewestSnapshot(n.stores.Snapshots)
	require.NoError(t, err)
	reader, err := raftlog.OpenSnapshot(n.stores.Snapshots, meta.ID)
	require.NoError(t, err)
	for err == nil {
		_, err = reader.NextRecord()
	}
	require.NoError(t, reader.Close())
	require.EqualValues(t, 10, reader.Rows())
}

// The same holds for a backup, and for the view by which the rows are checked.
func TestNoViewOfAStoreThatWentBack(t *testing.T) {
	c := newTestConfig(t)
	n, goBack := c.mustLose(t, 1, 3)
	goBack()
	_, _, err := n.OpenView(t.Context())
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
	view, at, err := n.OpenView(t.Context())
	require.NoError(t, err)
	require.NoError(t, view.Close())
	require.GreaterOrEqual(t, at.Index, n.CommitIndex(), "a view from before the log has made up for the loss")
	require.Len(t, c.store.Rows(), 4)
}

// Without writes nobody would notice: whoever sees that something is wrong says so.
func TestStoreThatWentBackIsMendedWithoutWrites(t *testing.T) {
	c := newTestConfig(t)
	n, goBack := c.mustLose(t, 1, 3)
	n.VerifyStore()
	restores := c.store.RestoresAfterStart()
	goBack()
	n.VerifyStore()
	require.Eventually(t, func() bool { return len(c.store.Rows()) == 4 && n.Serving() }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, restores, c.store.RestoresAfterStart(), "it was built anew where the log would do")
}

// A follower that asks what the leader has applied, and answers up to that, would not show what was acknowledged before.
func TestLeaderIndexDoesNotGoBackWithTheStore(t *testing.T) {
	c := newTestConfig(t)
	n, goBack := c.mustLose(t, 1, 3)
	shown := n.AppliedIndex()
	c.store.RefuseCommits(1 << 20)
	goBack()
	n.VerifyStore()
	require.Eventually(t, func() bool { return n.AppliedIndex() < shown }, 10*time.Second, time.Millisecond)
	index, err := n.LeaderIndex(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, index, shown)
	c.store.RefuseCommits(0)
	require.Eventually(t, func() bool { return len(c.store.Rows()) == 4 && n.Serving() }, 10*time.Second, 5*time.Millisecond)
}

// A store that cannot be asked is not judged: to take it out of use would make an outage worse.
func TestVerifiedStoreThatDoesNotAnswerStaysInUse(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	c.store.Mu.Lock()
	c.store.StateFails = 1
	c.store.Mu.Unlock()
	n.VerifyStore()
	require.Eventually(t, func() bool {
		c.store.Mu.Lock()
		defer c.store.Mu.Unlock()
		return c.store.StateFails == 0
	}, 10*time.Second, time.Millisecond)
	require.True(t, n.Serving())
}

// Readers that meet a row which somebody has changed ask for a look each, and may do so as fast as the store answers. If
// this fails, they keep a node from applying anything.
func TestLooksAtTheStoreHoldUpNoWrites(t *testing.T) {
	c := newTestConfig(t)
	var node atomic.Pointer[testNode]
	c.store.OnState = func() {
		if n := node.Load(); n != nil {
			n.VerifyStore()
		}
	}
	n := c.mustLead(t)
	node.Store(n)
	n.VerifyStore()
	n.mustAdd(t, "a", 3)
	view, _, err := n.OpenView(t.Context())
	require.NoError(t, err)
	require.NoError(t, view.Close())
}

// A database may be restarted between the look at its state row and the reading of its rows.
func TestStoreThatGoesBackWhileItIsLoaded(t *testing.T) {
	c := newTestConfig(t)
	n, goBack := c.mustLose(t, 2, 2)
	n.close(t)
	c.store.OnLoad = func() { c.store.OnLoad = nil; goBack() }
	n = c.mustLead(t)
	require.Eventually(t, func() bool { return len(c.store.Rows()) == 4 && n.Serving() }, 10*time.Second, 5*time.Millisecond)
}

// A leader judges its store by this: one slow transaction must not make a slow store, and one that goes
// on must count before it is through.
func TestPaceIsThatOfTheFasterOfTwo(t *testing.T) {
	var p pace
	took := func() time.Duration { d, _ := p.now(); return d }
	require.Zero(t, took())
	transaction := func(d time.Duration) {
		end := p.begin()
		p.began = p.began.Add(-d)
		end()
	}
	transaction(time.Millisecond)
	require.Zero(t, took(), "one says nothing")
	transaction(time.Second)
	require.Less(t, took(), 500*time.Millisecond)
	end := p.begin()
	require.Less(t, took(), 500*time.Millisecond)
	p.began = p.began.Add(-time.Minute)
	require.GreaterOrEqual(t, took(), time.Second, "the one that goes on")
	end()
	require.GreaterOrEqual(t, took(), time.Second)
	p.begin()
	require.GreaterOrEqual(t, took(), time.Second, "the next one has only begun")
}

// Writers on a leader that was replaced because its store hangs must learn soon that their outcome is
// open, and those behind them go to the new leader.
func TestProposalsOfAReplacedLeaderAreGivenUp(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	p := n.current().proposer
	unanswered := make(chan struct{})
	t.Cleanup(func() { close(unanswered) })
	p.apply = func([]byte, time.Duration) raft.ApplyFuture { return hangingFuture{unanswered} }
	p.hopeless = func() bool { return true }
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := n.Propose(ctx, units.Singles(add("a")))
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	require.NoError(t, ctx.Err(), "it waited to the end")
}

// hangingFuture is of an entry that this node never applies.
type hangingFuture struct{ done chan struct{} }

func (f hangingFuture) Error() error { <-f.done; return raft.ErrRaftShutdown }
func (hangingFuture) Response() any  { return nil }
func (hangingFuture) Index() uint64  { return 0 }

// Whoever reads that a store is not as the node left it has to see what differs, and not twice the same number.
func TestWhatMovedInAStoreIsSaid(t *testing.T) {
	c := newTestConfig(t)
	a := &applier{decider: decider{service: fakestore.NewService(c.store)}, dir: c.mustOpen(t).dir}
	at := model.Position{Index: 7, Term: 2}
	left := model.StoreState{Identity: a.dir.Identity(), Applied: at, Checksum: a.service.ChecksumInternal()}
	require.NoError(t, a.expect(left, at))
	for said, change := range map[string]func(*model.StoreState){
		`that of node "node2" of cluster other`:            func(s *model.StoreState) { s.Node, s.Cluster = "node2", "other" },
		"somebody has begun to load":                       func(s *model.StoreState) { s.Restoring = true },
		"at index 7 of term 1 and was left at 7 of term 2": func(s *model.StoreState) { s.Applied.Term = 1 },
		"at index 7 it has the checksum 1-9-00":            func(s *model.StoreState) { s.Checksum = "1-9-00" },
	} {
		found := left
		change(&found)
		err := a.expect(found, at)
		require.ErrorIs(t, err, model.ErrStateMoved)
		require.ErrorContains(t, err, said)
	}
}
