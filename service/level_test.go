package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
	"versiond/raft/transport"
)

var atNone = model.ReadOptions{Level: model.LevelNone}

// mustStartAgain starts a node that was closed, with the configuration and on the address that it had.
func (n *testNode) mustStartAgain(t *testing.T) *testNode {
	t.Helper()
	return n.mustStartWith(t, nil)
}

func (n *testNode) mustStartWith(t *testing.T, redisDao *dao.VersionRedisDao) *testNode {
	t.Helper()
	listener, err := transport.Listen(n.address)
	require.NoError(t, err)
	again := nodeOptions{id: n.NodeID(), path: n.path, redisDao: redisDao, peers: n.peers, listener: listener, settings: func(string) Settings { return n.settings }}.mustRun(t)
	n.peers.silence(n.address, false)
	return again
}

// mustWriteBatches replaces the records big-0 to big-499 again and again, and then says in the record "round"
// how often that was done.
func (n *testNode) mustWriteBatches(t *testing.T, from, to int) {
	t.Helper()
	ctx := within(t, 60*time.Second)
	for round := from; round <= to; round++ {
		var unit model.Unit
		for i := range 500 {
			unit.Commands = append(unit.Commands, n.put(fmt.Sprint("big-", i), round))
		}
		unit.Commands = append(unit.Commands, n.put("round", round))
		eventually(t, func() bool { // on a busy machine an election may leave the outcome open
			_, err := n.WriteBatch(ctx, unit, fmt.Sprint("round-", round))
			return err == nil
		})
	}
}

func (n *testNode) put(id string, round int) model.Command {
	c := model.Command{Type: model.CommandUpdate, ID: id, VersionNo: strconv.Itoa(round), Platform: "linux"}
	if round == 1 {
		c.Type = model.CommandAdd
	}
	return c
}

// seenAtNone returns what a read of the record "round" at level=none sees: 0 when it says that there is none, and
// false when the node serves nothing.
func (n *testNode) seenAtNone(t *testing.T) (round int, served bool) {
	result, err := n.GetVersionByID(t.Context(), "round", atNone)
	switch {
	case err == nil:
		round, err = strconv.Atoi(result.Record.VersionNo)
		require.NoError(t, err)
		return round, true
	case errors.Is(err, model.ErrNotCaughtUp):
		return 0, false
	}
	require.ErrorIs(t, err, model.ErrNotFound)
	return 0, true
}

// mustNeverShowLess reads at level=none until the node is ready, and then once more.
func (n *testNode) mustNeverShowLess(t *testing.T, than int) {
	t.Helper()
	for ready := false; !ready; {
		ready = len(failing(n.Readiness(within(t, 30*time.Second)))) == 0
		round, served := n.seenAtNone(t)
		require.True(t, served || !ready, "it is ready and serves nothing")
		require.True(t, !served || round >= than, "it shows round %d of %d, ready: %v", round, than, ready)
	}
}

// An upgrade waits for each node to be ready before it goes on to the next. A node must not say so, nor answer at
// level=none, before it has what was acknowledged while it was away: else clients that go from node to node see
// records vanish, or change back.
func TestRollingRestartShowsNoOlderRecords(t *testing.T) {
	t.Parallel()
	nodes, round := mustCluster(t, 3), 0
	for i, emptied := range []bool{false, true, false} {
		n := nodes[i]
		other := nodes[(i+1)%3]
		n.close()
		if emptied {
			require.NoError(t, os.RemoveAll(n.path))
		}
		other.mustWriteBatches(t, round+1, round+20)
		round += 20
		nodes[i] = n.mustStartAgain(t)
		nodes[i].mustNeverShowLess(t, round)
		mustAgreeOnVoters(t, nodes)
	}
}

// Whoever stayed up goes on at level=none without a quorum. A node that was started into that cannot know what it
// missed: it serves nothing until somebody tells it.
func TestLevelNoneWithoutAQuorum(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	nodes[0].mustWriteBatches(t, 1, 1)
	for _, n := range nodes {
		eventually(t, func() bool { round, _ := n.seenAtNone(t); return round == 1 })
	}
	nodes[0].close()
	nodes[1].close()
	eventually(t, func() bool { _, err := nodes[2].Leader(t.Context()); return err != nil })
	round, _ := nodes[2].seenAtNone(t)
	require.Equal(t, 1, round)
	eventually(t, func() bool { return nodes[2].level.check(0) != nil }) // it knows no more what is committed

	nodes[2].close()
	alone := nodes[2].mustStartAgain(t)
	eventually(t, func() bool { return alone.node.AppliedIndex() > 0 && alone.node.Serving() })
	_, _, err := alone.ListVersions(t.Context(), model.ListOptions{Limit: 1}, atNone)
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
	_, _, err = alone.OpenBackup(t.Context(), atNone)
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
	_, served := alone.seenAtNone(t)
	require.False(t, served)
	require.Subset(t, failing(alone.Readiness(t.Context())), []string{"leader", "applier"})

	nodes[1].mustStartAgain(t)
	alone.mustNeverShowLess(t, 1)
}

// Other programs read Redis. A node that may lack what others have put there must not take it away, nor put back what
// it found in its own log.
func TestNodeThatIsNotLevelLeavesRedisAlone(t *testing.T) {
	t.Parallel()
	nodes, redisDao := mustCluster(t, 3), mustRedis(t)
	nodes[0].mustAdd(t, "a", "1")
	for _, n := range nodes {
		n.close()
	}
	newer := dao.CachedVersion{VersionDB: record("a", "2"), Cluster: nodes[0].Term().Cluster}
	require.NoError(t, redisDao.SetMany(t.Context(), []dao.CachedVersion{newer, {VersionDB: record("late", "1"), Cluster: newer.Cluster}}))
	require.NoError(t, os.RemoveAll(filepath.Join(nodes[2].path, "versions.db"))) // it applies its log anew
	alone := nodes[2].mustStartWith(t, redisDao)
	eventually(t, alone.node.Serving)
	require.NoError(t, alone.ReLoadCacheDataInternal(t.Context()))
	require.Equal(t, newer, alone.inRedis(t, "a"))
	require.Equal(t, "late", alone.inRedis(t, "late").ID)

	nodes[1].mustStartAgain(t)
	alone.mustBeReady(t)
	require.NoError(t, alone.ReLoadCacheDataInternal(t.Context()))
	eventually(t, func() bool { return alone.inRedis(t, "a").VersionNo == "1" })
	require.Empty(t, alone.inRedis(t, "late").ID)
}
