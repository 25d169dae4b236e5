package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/group"
	"versiond/model"
	"versiond/raft/transport"
	"versiond/service/cluster"
	"versiond/test/units"
)

// mustCluster runs nodes that are all listed, and returns when every one is ready and has its vote.
// The first one leads.
func mustCluster(t *testing.T, size int) []*testNode {
	t.Helper()
	peers := newFakePeers()
	listeners := make([]*transport.Listener, size)
	listed := make([]Listed, size)
	for i := range listeners {
		listeners[i] = mustListen(t)
		listed[i] = Listed{ID: fmt.Sprint("node", i+1), Address: listeners[i].Addr().String(), Port: 8081 + i}
	}
	nodes := make([]*testNode, size)
	for i := range nodes {
		nodes[i] = nodeOptions{id: listed[i].ID, peers: peers, listener: listeners[i], settings: func(string) Settings {
			return Settings{Listed: listed, Port: listed[i].Port}
		}}.mustRun(t)
	}
	for _, n := range nodes {
		n.mustBeReady(t)
	}
	mustAgreeOnVoters(t, nodes)
	nodes[0].mustTakeOver(t)
	return nodes
}

// mustAgreeOnVoters waits until each node knows that all of them vote. A node is ready when it knows so of itself; hashicorp
// refuses its vote to whom it does not take for a voter, so that two of three who disagree about each other elect nobody.
func mustAgreeOnVoters(t *testing.T, nodes []*testNode) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, func() bool { return cluster.Voters(n.node.Members()) == len(nodes) })
	}
}

// mustTakeOver makes a node lead: on a busy machine an election may have made another one the leader.
func (n *testNode) mustTakeOver(t *testing.T) {
	t.Helper()
	eventually(t, func() bool {
		leader, err := n.TransferLeadership(within(t, 5*time.Second), n.NodeID())
		return err == nil && leader.ID == n.NodeID() && n.node.IsLeader()
	})
}

// The nodes of a new cluster find each other by themselves. If this fails, nothing runs.
func TestListedNodesBecomeOneCluster(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	cluster := nodes[0].Term().Cluster
	require.NotEmpty(t, cluster)
	for i, n := range nodes {
		require.Equal(t, cluster, n.Term().Cluster)
		leader, err := n.Leader(t.Context())
		require.NoError(t, err)
		require.Equal(t, model.Leader{ID: "node1", Address: nodes[0].address, Port: 8081}, leader)
		peers, err := n.Peers(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, peers.FailureTolerance)
		require.Equal(t, 8081+i, peers.Members[i].Port)
		eventually(t, func() bool {
			peers, err := nodes[0].Peers(t.Context())
			return err == nil && peers.Members[i].Failing == nil
		})
		n.mustAdd(t, "written-on-"+n.NodeID(), "1")
	}
	for _, n := range nodes {
		for _, writer := range nodes {
			require.Equal(t, "1", n.mustGet(t, "written-on-"+writer.NodeID()).VersionNo)
		}
	}
	peers := nodes[0].peers
	peers.silence(nodes[2].address, true)
	status, err := nodes[0].Peers(t.Context())
	require.NoError(t, err)
	require.Equal(t, 0, status.FailureTolerance)
	require.False(t, status.Members[2].Reachable)
}

// Clients may ask any node for anything. What only the leader can do must work through a follower,
// with the same errors.
func TestFollowersPassMembershipOn(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	follower := nodes[2]
	ctx := within(t, 15*time.Second)
	require.ErrorIs(t, follower.DeleteFatalPeer(ctx, "node9", false), model.ErrNoSuchMember)
	_, err := follower.TransferLeadership(ctx, "node9")
	require.ErrorIs(t, err, model.ErrNoSuchMember)
	_, err = follower.JoinRaftCluster(ctx, "node9", "127.0.0.1:1", true)
	require.ErrorIs(t, err, model.ErrNodeUnreachable)
	_, _, err = follower.ApplyCommands(ctx, units.Singles(add("a", "1")))
	require.ErrorIs(t, err, model.ErrNotLeader)
	_, err = follower.LeaderReadIndex(ctx, model.LevelLinearizable, model.TermAck{})
	require.ErrorIs(t, err, model.ErrNotLeader)

	leader, err := follower.TransferLeadership(ctx, "node2")
	require.NoError(t, err)
	require.Equal(t, model.Leader{ID: "node2", Address: nodes[1].address, Port: 8082}, leader)
	eventually(t, func() bool { return nodes[1].node.IsLeader() })

	require.NoError(t, follower.DeleteFatalPeer(ctx, "node2", false), "a leader that is removed hands over first")
	eventually(t, func() bool {
		return len(nodes[0].node.Members()) == 2 && !nodes[1].node.IsLeader()
	})
	eventually(t, func() bool { return nodes[1].cluster.Removed() != nil })
	_, err = nodes[1].AddVersion(ctx, record("a", "1"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrNodeRemoved)
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader, model.LevelNone} {
		_, err = nodes[1].GetVersionByID(ctx, "a", model.ReadOptions{Level: level})
		require.ErrorIs(t, err, model.ErrNodeRemoved, level)
	}
	_, _, err = nodes[1].ApplyCommands(ctx, units.Singles(add("a", "1")))
	require.ErrorIs(t, err, model.ErrNodeRemoved)
	checks := nodes[1].Readiness(ctx)
	require.Contains(t, failing(checks), "member")
	require.Contains(t, checks[0].Detail, "/join", "it does not say how to come back")
	nodes[0].mustAdd(t, "a", "1")
}

// mustLevelPair runs two nodes, of which the follower has applied one record.
func mustLevelPair(t *testing.T) (nodes []*testNode, follower *testNode, added model.Result) {
	t.Helper()
	nodes = mustCluster(t, 2)
	added, follower = nodes[0].mustAdd(t, "a", "1"), nodes[1]
	require.NoError(t, follower.node.WaitApplied(within(t, 10*time.Second), added.Index))
	return nodes, follower, added
}

// What another node passes on is checked once more: an id that MySQL cannot hold would stop every node of the
// cluster for good.
func TestBrokenCommandsOfAnotherNodeAreRefused(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	before := n.node.LastIndex()
	for name, command := range map[string]model.Command{
		"a long id":       add(strings.Repeat("x", 129), "1"),
		"two dots":        add("a/../b", "1"),
		"a long version":  add("a", strings.Repeat("1", 65)),
		"no platform":     {Type: model.CommandAdd, ID: "a", VersionNo: "1"},
		"a control sign":  add("a\x01", "1"),
		"an unknown type": {Type: 99, ID: "a", VersionNo: "1", Platform: "linux"},
	} {
		_, _, err := n.ApplyCommands(within(t, time.Second), units.Singles(add("right", "1"), command))
		require.ErrorIs(t, err, model.ErrInvalid, name)
	}
	many := model.Unit{Commands: slices.Repeat([]model.Command{add("a", "1")}, model.UnitCommandsMax+1)}
	_, _, err := n.ApplyCommands(within(t, time.Second), []model.Unit{many})
	require.ErrorIs(t, err, model.ErrInvalid)
	require.Equal(t, before, n.node.LastIndex())
}

// A follower whose database is so busy that reads do not get to it must pass them to the leader, within the time
// that they have.
func TestFollowerWithABusyStorePassesReadsOn(t *testing.T) {
	t.Parallel()
	_, follower, added := mustLevelPair(t)
	follower.mysql.readers = group.NewGate(1, readsWaitingMax)
	require.NoError(t, follower.mysql.readers.Enter(t.Context()))
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader} {
		follower.redis.memory.Clear()
		result, err := follower.GetVersionByID(within(t, 5*time.Second), "a", model.ReadOptions{Level: level})
		require.NoError(t, err)
		require.Equal(t, added.Record, result.Record)
	}
	_, err := follower.GetVersionByID(within(t, 50*time.Millisecond), "a", model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A removal whose answer is lost is asked for again, and must not end in "no such member" for what it did. A node that is
// asked for its own, and hears of it before the answer comes, must not say "no member any more; nothing was changed".
func TestRemovalWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	nodes[1].peers.loseRemovals.Store(1)
	require.NoError(t, nodes[1].DeleteFatalPeer(within(t, 10*time.Second), "node3", false))
	require.ErrorIs(t, nodes[1].DeleteFatalPeer(within(t, 10*time.Second), "node3", false), model.ErrNoSuchMember)

	nodes[1].peers.loseRemovals.Store(1)
	nodes[1].peers.afterLoss = func() { eventually(t, func() bool { return nodes[1].cluster.Removed() != nil }) }
	err := nodes[1].DeleteFatalPeer(within(t, 20*time.Second), "node2", false)
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	require.NotErrorIs(t, err, model.ErrNodeRemoved)
}

// A change that a leader was asked for which then did not answer may be done: 503 and 429 would say that it was not.
func TestChangeWhoseAnswerIsLostForGood(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	nodes[1].peers.loseRemovals.Store(1)
	nodes[1].peers.afterLoss = func() { nodes[1].mustTakeOver(t); nodes[1].holdMembership(t) } // where it has to wait then
	err := nodes[1].DeleteFatalPeer(within(t, 3*time.Second), "node3", false)
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	require.NotErrorIs(t, err, model.ErrTooManyRequests)
}

// A voter that is to lead and does not answer must be named as the reason, and nothing be changed.
func TestTransferToASilentVoter(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	nodes[0].peers.silence(nodes[2].address, true)
	_, err := nodes[0].TransferLeadership(within(t, 5*time.Second), "node3")
	require.ErrorIs(t, err, model.ErrNoSuccessor)
	require.ErrorContains(t, err, "node3")
	require.True(t, nodes[0].node.IsLeader())
}

// A node whose database is gone still takes requests: the leader's store answers them, and only a
// read of the node's own state fails. The leader may die over it, which changes nothing.
func TestFollowerWithoutItsStorePassesReadsOn(t *testing.T) {
	t.Parallel()
	nodes, follower, added := mustLevelPair(t)
	require.NoError(t, db.Close(follower.store.DB))
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader} {
		opts := model.ReadOptions{Level: level, MinIndex: added.Index}
		follower.redis.memory.Clear()
		result, err := follower.GetVersionByID(within(t, 10*time.Second), "a", opts)
		require.NoError(t, err)
		require.Equal(t, added.Record, result.Record)
		page, index, err := follower.ListVersions(within(t, 10*time.Second), model.ListOptions{Limit: 10}, opts)
		require.NoError(t, err)
		require.Equal(t, []model.VersionDB{added.Record}, page.Items)
		require.GreaterOrEqual(t, index, added.Index)
	}
	require.Contains(t, follower.peers.called(), "read "+nodes[0].address)
	_, err := follower.GetVersionByID(within(t, time.Second), "a", model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	require.Contains(t, failing(follower.Readiness(t.Context())), "store")

	follower.peers.readFails.Store(3)
	result, err := follower.GetVersionByID(within(t, 10*time.Second), "a", model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err, "a read that meets a dying leader is asked again: it changes nothing")
	require.Equal(t, added.Record, result.Record)

	follower.peers.readHangs.Store(true)
	_, err = follower.GetVersionByID(within(t, 300*time.Millisecond), "a", model.ReadOptions{Level: model.LevelLinearizable})
	require.ErrorIs(t, err, model.ErrTimeout)
	require.NotErrorIs(t, err, model.ErrNoLeader, "there is one, which took too long")
}

// The history tells who asked for a change and when, whichever node was asked: also one that knows nothing of the cluster's
// past yet, because its store does not answer.
func TestEveryNodeSaysWhoAskedForAChange(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	late := nodeOptions{id: "node3", peers: nodes[0].peers}.mustRun(t)
	require.NoError(t, db.Close(late.store.DB))
	_, err := nodes[0].JoinRaftCluster(within(t, 10*time.Second), "node3", late.address, false)
	require.NoError(t, err)
	eventually(t, late.node.KeepsChanges)
	var want []string
	for i, n := range append(nodes, late) {
		origin := &model.Origin{At: 1764422400123 + int64(i), By: "client-of-" + n.NodeID()}
		ctx := within(t, 10*time.Second)
		mustSettle(t, func() error {
			_, err := n.AddVersion(ctx, record(n.NodeID(), "1"), model.WriteOptions{Origin: origin, Key: "create-of-" + n.NodeID()})
			return err
		})
		mustSettle(t, func() error {
			_, err := n.UpdateVersion(ctx, record(n.NodeID(), "2"), model.WriteOptions{Origin: origin, Newer: true})
			return err
		})
		mustSettle(t, func() error {
			unit := model.Unit{Atomic: true, Origin: origin, Commands: []model.Command{add(n.NodeID()+"-b", "1"), remove(n.NodeID(), 0)}}
			_, err := n.WriteBatch(ctx, unit, "key-of-"+n.NodeID())
			return err
		})
		for _, what := range []string{"create %[1]s", "update %[1]s", "create %[1]s-b", "delete %[1]s"} {
			want = append(want, fmt.Sprintf(what+" by %[2]s at %[3]d", n.NodeID(), origin.By, origin.At))
		}
	}
	kept, _, err := nodes[0].mysql.changesAfter(t.Context(), 0, 100)
	require.NoError(t, err)
	var got []string
	for _, c := range kept.list {
		got = append(got, fmt.Sprintf("%s %s by %s at %d", c.Op, c.ID, c.By, c.At))
	}
	require.Equal(t, want, got)
}

// mustSettle does a write that may be sent again, until it is known to be done: on a busy machine a leader may lose its lead, and
// with it the answer.
func mustSettle(t *testing.T, write func() error) {
	t.Helper()
	err := write()
	for errors.Is(err, model.ErrOutcomeUnknown) {
		if err = write(); errors.Is(err, model.ErrNotNewer) {
			err = nil // it was done
		}
	}
	require.NoError(t, err)
}

// A read on a follower must see what was acknowledged on the leader before it began.
func TestFollowersReadWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	for i := range 40 {
		id := fmt.Sprint("id-", i)
		added := nodes[i%2].mustAdd(t, id, "1")
		require.Equal(t, added.Record, nodes[(i+1)%2].mustGet(t, id))
		again, err := nodes[(i+1)%2].AddVersion(within(t, 10*time.Second), record(id, "2"), model.WriteOptions{})
		require.ErrorIs(t, err, model.ErrAlreadyExists)
		require.Equal(t, added.Record.Revision, again.Record.Revision, "the revision that stands in the way")
		require.NotZero(t, again.Index)
		for _, n := range nodes {
			own, err := n.GetVersionByID(within(t, 10*time.Second), id, model.ReadOptions{Level: model.LevelNone, MinIndex: added.Index})
			require.NoError(t, err)
			require.Equal(t, added.Record, own.Record)
		}
	}
}

// A follower that has in its log what it has not applied reads at the leader: its own applier would have to
// write entry by entry what it could write together. A leader that is gone costs the read nothing.
func TestFollowerThatIsBehindReadsAtTheLeader(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	follower := nodes[1]
	for i := range 20 {
		id := fmt.Sprint("id-", i)
		added := nodes[0].mustAdd(t, id, "1")
		result, err := follower.GetVersionByID(within(t, 10*time.Second), id, model.ReadOptions{Level: model.LevelLinearizable})
		require.NoError(t, err)
		require.Equal(t, added.Record, result.Record)
		require.GreaterOrEqual(t, result.Index, added.Index, "the label is the leader's")
		missing, err := follower.GetVersionByID(within(t, 10*time.Second), id+"-not", model.ReadOptions{Level: model.LevelLinearizable})
		require.ErrorIs(t, err, model.ErrNotFound)
		require.GreaterOrEqual(t, missing.Index, added.Index)
	}
	require.Contains(t, follower.peers.called(), "read "+nodes[0].address)
}

// Without a quorum nobody may read what could be old, nor be told that a write did not happen when it
// may have; each node's own state stays readable.
func TestWithoutQuorum(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	added := nodes[0].mustAdd(t, "a", "1")
	nodes[0].peers.silence(nodes[1].address, true)
	nodes[1].close()
	_, err := nodes[0].GetVersionByID(within(t, 500*time.Millisecond), "a", model.ReadOptions{Level: model.LevelLinearizable})
	require.Error(t, err)
	eventually(t, func() bool { return !nodes[0].node.IsLeader() })
	_, err = nodes[0].AddVersion(within(t, 300*time.Millisecond), record("b", "1"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrNoLeader)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	_, err = nodes[0].GetVersionByID(within(t, 300*time.Millisecond), "a", model.ReadOptions{Level: model.LevelLeader})
	requireNoLeader(t, err)
	own, err := nodes[0].GetVersionByID(within(t, 300*time.Millisecond), "a", model.ReadOptions{Level: model.LevelNone})
	require.NoError(t, err)
	require.Equal(t, added.Record, own.Record)
	_, err = nodes[0].Leader(t.Context())
	require.ErrorIs(t, err, model.ErrNoLeader)
}
