package raft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
	"versiond/raft/transport"
	"versiond/test/fakestore"
	"versiond/test/harness/captured"
	"versiond/test/units"
)

// noPeers is for nodes that have none.
type noPeers struct{}

func (noPeers) Term(context.Context, string, string) (uint64, error) {
	return 0, model.ErrNodeUnreachable
}

// testNode is a node over a directory and a store that outlive it.
type testNode struct {
	*Node
	dir      *datadir.Dir
	listener *transport.Listener
}

type testConfig struct {
	path    string
	store   *fakestore.Store
	tuning  Tuning
	wrapLog func(raftlog.Files) raftlog.Files
	log     *captured.Buffer
}

// soon lets a node that is alone lead at once: nobody else could be heard of.
const soon = 50 * time.Millisecond

func newTestConfig(t *testing.T) testConfig {
	return testConfig{path: filepath.Join(t.TempDir(), "node1"), store: fakestore.New(), log: &captured.Buffer{},
		tuning: Tuning{SnapshotInterval: time.Hour, SnapshotThreshold: 1 << 30, TrailingLogs: 1 << 20, ElectionTimeout: soon}}
}

func (c testConfig) mustOpen(t *testing.T) *testNode {
	t.Helper()
	dir, err := datadir.Open(c.path, "node1")
	require.NoError(t, err)
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	init := RaftInitializerImpl{Config: NodeConfig{
		Address: "127.0.0.1:7001", Dir: dir, Listener: listener, Peers: noPeers{}, Log: slog.New(slog.NewTextHandler(c.log, nil)), Tuning: c.tuning, wrapLog: c.wrapLog,
	}}
	node, err := init.InitRaft(fakestore.NewService(c.store))
	require.NoError(t, err)
	n := &testNode{Node: node, dir: dir, listener: listener}
	t.Cleanup(func() { n.close(t) })
	return n
}

func (n *testNode) close(t *testing.T) {
	require.NoError(t, n.Close())
	require.NoError(t, n.listener.Close())
	_ = n.dir.Close() // a second close finds it unlocked
}

// mustLead starts a node and waits until it leads, beginning a cluster if it has none.
func (c testConfig) mustLead(t *testing.T) *testNode {
	t.Helper()
	n := c.mustOpen(t)
	if !n.Running() {
		require.NoError(t, n.Bootstrap("cluster1"))
	}
	require.Eventually(t, func() bool { return n.IsLeader() && n.Serving() }, 10*time.Second, 5*time.Millisecond)
	return n
}

func (n *testNode) propose(t *testing.T, commands ...model.Command) []model.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	outcomes, err := n.Propose(ctx, units.Singles(commands...))
	require.NoError(t, err)
	return flat(outcomes)
}

// flat returns the outcomes of units one after the other.
func flat(units []model.UnitOutcome) (outcomes []model.Outcome) {
	for _, u := range units {
		outcomes = append(outcomes, u.Outcomes...)
	}
	return outcomes
}

func add(id string) model.Command {
	return model.Command{Type: model.CommandAdd, ID: id, VersionNo: "1", Platform: "linux"}
}

func (n *testNode) mustAdd(t *testing.T, prefix string, count int) {
	t.Helper()
	for i := range count {
		outcome := n.propose(t, add(fmt.Sprintf("%s-%03d", prefix, i)))
		require.Equal(t, model.OutcomeDone, outcome[0].Code)
	}
}

// Outcomes must come back to the caller whose commands they are, and two commands of one entry must
// have different revisions, or an ETag would cover a lost update.
func TestOutcomesReachTheirProposers(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	revisions := map[uint64]bool{}
	for i := range 64 {
		wg.Go(func() {
			id := fmt.Sprintf("id-%d", i)
			units, err := n.Propose(context.Background(), units.Singles(add(id), add(id)))
			outcomes := flat(units)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || outcomes[0].Code != model.OutcomeDone || outcomes[1].Code != model.OutcomeAlreadyExists ||
				outcomes[1].Revision != outcomes[0].Revision || revisions[outcomes[0].Revision] {
				t.Errorf("%s: %v %v", id, outcomes, err)
				return
			}
			revisions[outcomes[0].Revision] = true
		})
	}
	wg.Wait()
	require.Len(t, revisions, 64)
}

// Entries without commands never reach the FSM. If the applied index did not step over them, every
// read that waits for the commit index would hang on an idle cluster.
func TestAppliedIndexReachesCommitIndexOnAnIdleCluster(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, n.current().raft.Barrier(time.Second).Error())
	require.NoError(t, n.WaitApplied(ctx, n.CommitIndex()))
	index, err := n.ReadIndexFor(ctx, model.TermAck{})
	require.NoError(t, err)
	require.Equal(t, n.CommitIndex(), index)
}

// A restart replays the log. What the store holds must be skipped: nothing may be decided twice.
func TestRestartSkipsWhatTheStoreHolds(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 20)
	n.close(t)
	n = c.mustLead(t)
	n.mustAdd(t, "b", 1)
	require.Len(t, c.store.Rows(), 21)
	require.Len(t, c.store.Decided, 21)
}

// A COMMIT whose answer is lost has happened; trying it again would find the state row moved, and
// must not be taken for somebody else's write, nor be applied twice.
func TestLostCommitAnswerIsLookedUp(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	c.store.Mu.Lock()
	c.store.LoseAnswers = 1
	c.store.Mu.Unlock()
	n.mustAdd(t, "a", 3)
	require.Len(t, c.store.Decided, 3)
	require.Zero(t, c.store.RestoresAfterStart())
}

// A failing store is not an outcome: the write waits and then succeeds.
func TestFailingStoreIsRetried(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	c.store.Mu.Lock()
	c.store.FailCommits = 4
	c.store.Mu.Unlock()
	n.mustAdd(t, "a", 2)
	require.Len(t, c.store.Rows(), 2)
}

// A store that is dropped while the node runs is built anew from the log.
func TestDroppedStoreIsRebuiltFromTheLog(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 10)
	c.store.Drop()
	n.mustAdd(t, "b", 1)
	require.Len(t, c.store.Rows(), 11)
}

// After compaction the log alone cannot rebuild a store: the snapshot must, also when the first
// attempt to load it is broken off half-way.
func TestDroppedStoreIsRebuiltFromSnapshotAndLog(t *testing.T) {
	c := newTestConfig(t)
	c.tuning.TrailingLogs = 2
	n := c.mustLead(t)
	n.mustAdd(t, "a", 30)
	n.mustSnapshot(t)
	n.mustAdd(t, "b", 5)
	first, err := n.stores.Log.FirstIndex()
	require.NoError(t, err)
	require.Greater(t, first, uint64(20), "the log was not compacted")
	n.close(t)
	c.store.Drop()
	c.store.BreakRestore = true
	n = c.mustLead(t)
	n.mustAdd(t, "c", 1)
	require.Len(t, c.store.Rows(), 36)
	require.Zero(t, c.store.ViewsOpen, "a snapshot's view was left open")
}

func (n *testNode) mustSnapshot(t *testing.T) {
	t.Helper()
	require.NoError(t, n.current().raft.Snapshot().Error())
}

// A snapshot holds exactly what was applied at its index, though writes go on while it is written.
func TestSnapshotIsOfOneMoment(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 5)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			_, _ = n.Propose(context.Background(), units.Singles(add(fmt.Sprintf("b-%d", i)))) // only there to be in the way
		}
	}()
	n.mustSnapshot(t)
	<-done
	meta, err := raftlog.NewestSnapshot(n.stores.Snapshots)
	require.NoError(t, err)
	reader, err := raftlog.OpenSnapshot(n.stores.Snapshots, meta.ID)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	for v, err := reader.NextRecord(); err == nil; v, err = reader.NextRecord() {
		require.LessOrEqual(t, v.Revision/model.CommandsPerEntryMax, meta.Index)
	}
	require.EqualValues(t, decidedUpTo(c.store, meta.Index), reader.Rows())
}

func decidedUpTo(s *fakestore.Store, index uint64) int {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	n := 0
	for _, at := range s.Decided {
		if at <= index {
			n++
		}
	}
	return n
}

// A node without Raft state must not run Raft, or it would grant its vote to anybody; nor may it
// propose.
func TestBlankNodeRunsNoRaft(t *testing.T) {
	n := newTestConfig(t).mustOpen(t)
	require.False(t, n.Running())
	require.Equal(t, "waiting", n.Status().State)
	_, err := n.Propose(context.Background(), units.Singles(add("a")))
	require.ErrorIs(t, err, model.ErrNotLeader)
	_, err = n.ReadIndexFor(context.Background(), model.TermAck{})
	require.ErrorIs(t, err, model.ErrNotLeader)
}

// A store of another cluster or node must stop the node, and be left as it is.
func TestForeignStoreIsRefused(t *testing.T) {
	for name, identity := range map[string]model.Identity{
		"another cluster": {Cluster: "other", Node: "node1", Store: "x"},
		"another node":    {Cluster: "cluster1", Node: "node2", Store: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTestConfig(t)
			c.store.State = &model.StoreState{Identity: identity, Applied: model.Position{Index: 9, Term: 2}}
			c.store.Table["theirs"] = model.Version{ID: "theirs"}
			n := c.mustOpen(t)
			require.NoError(t, n.Bootstrap("cluster1"))
			select {
			case <-n.Failed():
			case <-time.After(5 * time.Second):
				t.Fatal("the node goes on")
			}
			require.ErrorIs(t, n.Err(), model.ErrForeignStore)
			require.ErrorContains(t, n.Err(), identity.Node)
			require.Len(t, c.store.Rows(), 1)
		})
	}
}

// Two clusters that take a node in at once must not leave it running for one, with the other's name on disk.
func TestOnlyOneClusterTakesANodeIn(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	require.ErrorIs(t, n.Admit(datadir.Membership{Cluster: "another"}), model.ErrWrongNode)
	require.ErrorIs(t, n.Bootstrap("another"), model.ErrWrongNode)
	require.Equal(t, "cluster1", n.Identity().Cluster)
	require.NoError(t, n.Admit(datadir.Membership{Cluster: "cluster1"}), "the same again")
	n.close(t)
	require.Equal(t, "cluster1", c.mustLead(t).Identity().Cluster)
}

// What a driver says of a store that does not answer must not make a write pass for one whose outcome is open.
func TestStuckStoreRefusesInItsOwnWords(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	longAgo := time.Now().Add(-time.Minute)
	var err error
	require.Eventually(t, func() bool { // the applier, which is well, may say so in between
		n.noteFailure(fmt.Errorf("dial: %w", context.DeadlineExceeded))
		n.moved.Store(&longAgo)
		_, err = n.Propose(t.Context(), units.Singles(add("a")))
		return errors.Is(err, model.ErrStoreUnavailable)
	}, 5*time.Second, time.Millisecond)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}

// An outage is logged once, and again where the store says something else: a server that was down may come back
// read-only. If this fails, the log has the first cause alone, or the same line at every try.
func TestEveryAnswerOfTheStoreIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	a := &applier{fsm: newTestFSM(fakestore.NewService(fakestore.New())), progress: newProgress(), log: slog.New(slog.NewTextHandler(&log, nil))}
	readOnly := &model.StoreError{Detail: "1290 read-only"}
	for range 3 {
		a.storeFailed(t.Context(), "failed", fakestore.ErrFake)
		a.storeFailed(t.Context(), "failed", readOnly)
		a.progress.work()
	}
	require.Equal(t, 2, strings.Count(log.String(), "msg=failed"))
	require.Equal(t, 1, strings.Count(log.String(), "1290 read-only"))
	a.progress.touch()
	a.storeFailed(t.Context(), "failed", readOnly)
	require.Equal(t, 3, strings.Count(log.String(), "msg=failed"), "the next outage has to be told of too")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	a.progress.touch()
	a.storeFailed(ended, "failed", readOnly)
	require.Equal(t, 3, strings.Count(log.String(), "msg=failed"), "what a stop breaks off is no failure")
}

// A store that is at work, on a large transaction or on all of its rows, must not be called away, and one that does
// not come back must be told with a cause. If this fails, every start with many records raises an alarm.
func TestStoreAtWorkIsNoAlarm(t *testing.T) {
	n := newTestConfig(t).mustLead(t)
	longAgo := time.Now().Add(-time.Minute)
	held := func() (err error) {
		require.Eventually(t, func() bool { // the applier, which is well, may say so in between
			n.moved.Store(&longAgo)
			err = n.HeldUp()
			return n.Stuck()
		}, 5*time.Second, time.Millisecond)
		return err
	}
	n.work()
	require.NoError(t, held())
	n.noteFailure(fakestore.ErrFake)
	require.ErrorIs(t, held(), model.ErrStoreUnavailable)
	require.Eventually(t, func() bool {
		n.failure.Store(nil)
		n.worked.Store(&longAgo)
		err := held()
		return err != nil && strings.Contains(err.Error(), "does not answer, for 1m0")
	}, 5*time.Second, time.Millisecond)
}

func mustDataDir(t *testing.T, path string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(path, "node1")
	require.NoError(t, err)
	return d
}
