package raft

import (
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/raft/raftlog"
)

// A member that was removed and let in again may be sent an older snapshot, late, by the goroutine that
// replicated to it before. If it went back to that, and had compacted its log beyond, hashicorp/raft would
// panic with the next commit.
func TestOlderSnapshotIsRefused(t *testing.T) {
	c, leader, follower, older := mustPassSnapshot(t)
	mustCompact(t, follower)
	require.ErrorContains(t, sendSnapshot(t, leader, follower, older), "its log does not go back as far")
	c.requireFollows(t, leader, follower)
}

// A leader may have to send an older one to a follower that cannot say what term the hole behind a snapshot has. Where
// the log leads on from it, the leader must go on behind it: without that the follower would never follow.
func TestOlderSnapshotThatTheLogLeadsOnFromIsAnsweredAsInstalled(t *testing.T) {
	c, leader, follower, older := mustPassSnapshot(t)
	require.NoError(t, sendSnapshot(t, leader, follower, older))
	c.requireFollows(t, leader, follower)
}

// An older snapshot names the members of then. A node that took them for those of now would ask removed ones for their
// votes, and not those that came since.
func TestOlderSnapshotDoesNotBringFormerMembersBack(t *testing.T) {
	c, leader, follower, older := mustPassSnapshot(t)
	require.NoError(t, leader.Remove(t.Context(), c.nodes[2].Identity().Node))
	c.nodes = c.nodes[:2]
	c.requireEqual(t, leader)
	require.Equal(t, leader.Members(), follower.Members())
	require.NoError(t, sendSnapshot(t, leader, follower, older))
	c.requireFollows(t, leader, follower)
	require.Equal(t, leader.Members(), follower.Members())
	require.NoError(t, follower.current().raft.Snapshot().Error())
	own, err := raftlog.NewestSnapshot(follower.stores.Snapshots)
	require.NoError(t, err)
	require.Len(t, own.Configuration.Servers, 2, "what it begins with after its log is compacted")
}

// mustPassSnapshot makes three nodes of which the leader has a snapshot that the follower has applied beyond.
func mustPassSnapshot(t *testing.T) (c *trio, leader, follower *Node, older *raft.SnapshotMeta) {
	t.Helper()
	c = mustTrio(t)
	leader, follower = c.nodes[0], c.nodes[1]
	mustPropose(t, leader, "before")
	require.NoError(t, leader.current().raft.Snapshot().Error())
	older, err := raftlog.NewestSnapshot(leader.stores.Snapshots)
	require.NoError(t, err)
	for i := range 5 {
		mustPropose(t, leader, fmt.Sprint("after-", i))
	}
	require.NoError(t, follower.WaitApplied(t.Context(), leader.AppliedIndex()))
	return c, leader, follower, older
}

// requireFollows requires that a follower takes what is written next.
func (c *trio) requireFollows(t *testing.T, leader, follower *Node) {
	t.Helper()
	mustPropose(t, leader, "later")
	c.requireEqual(t, leader)
	require.NoError(t, follower.Err())
}

// mustCompact takes a snapshot that leaves one entry in the log.
func mustCompact(t *testing.T, n *Node) {
	t.Helper()
	r := n.current().raft
	tuning := r.ReloadableConfig()
	tuning.TrailingLogs = 1
	require.NoError(t, r.ReloadConfig(tuning))
	require.NoError(t, r.Snapshot().Error())
}

// sendSnapshot does what hashicorp/raft does for a follower that is behind the leader's log.
func sendSnapshot(t *testing.T, leader, follower *Node, meta *raft.SnapshotMeta) error {
	t.Helper()
	_, stream, err := leader.stores.Snapshots.Open(meta.ID)
	require.NoError(t, err)
	defer func() { require.NoError(t, stream.Close()) }()
	id, address := raft.ServerID(leader.Identity().Node), []byte(leader.Address())
	request := &raft.InstallSnapshotRequest{
		RPCHeader:       raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(id), Addr: address},
		SnapshotVersion: meta.Version, Term: leader.Term(), Leader: address,
		LastLogIndex: meta.Index, LastLogTerm: meta.Term, Size: meta.Size,
		Configuration: raft.EncodeConfiguration(meta.Configuration), ConfigurationIndex: meta.ConfigurationIndex,
	}
	to := raft.ServerID(follower.Identity().Node)
	var response raft.InstallSnapshotResponse
	err = leader.current().transport.InstallSnapshot(to, raft.ServerAddress(follower.Address()), request, &response, stream)
	require.Equal(t, err == nil, response.Success)
	require.Equal(t, request.Term, response.Term)
	return err
}
