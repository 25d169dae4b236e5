package service

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/service/cluster"
)

// The cluster must not be talked out of its last voter, not even by force: nobody could bring it back.
func TestOnlyVoterStays(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	ctx := within(t, 10*time.Second)
	require.ErrorIs(t, n.DeleteFatalPeer(ctx, "node9", false), model.ErrNoSuchMember)
	require.ErrorIs(t, n.DeleteFatalPeer(ctx, "node1", false), model.ErrQuorumAtRisk)
	require.ErrorIs(t, n.DeleteFatalPeer(ctx, "node1", true), model.ErrQuorumAtRisk)
	require.Len(t, n.node.Members(), 1)
	n.mustAdd(t, "a", "1")

	_, err := n.TransferLeadership(ctx, "node9")
	require.ErrorIs(t, err, model.ErrNoSuchMember)
	leader, err := n.TransferLeadership(ctx, "node1")
	require.NoError(t, err, "it leads already")
	require.Equal(t, model.Leader{ID: "node1", Address: n.address, Port: 8081}, leader)
	peers, err := n.Peers(ctx)
	require.NoError(t, err)
	require.Equal(t, 0, peers.FailureTolerance)
	require.Equal(t, "leader", peers.Members[0].State)
	require.True(t, peers.Members[0].Reachable)
	n.HandOver(ctx) // nobody is there to take over
	require.True(t, n.node.IsLeader())
}

// A member without a vote can always go; leadership cannot go to it.
func TestMemberWithoutVote(t *testing.T) {
	t.Parallel()
	peers := newFakePeers()
	peers.onAdmit = func(a peer.Admission) error {
		if !a.Replica {
			return fmt.Errorf("%w: it was to be a replica", model.ErrInternal)
		}
		return nil
	}
	n := nodeOptions{peers: peers}.mustLead(t)
	peers.pretend("node2:7001", blank("node2"))
	_, err := n.JoinRaftCluster(within(t, 10*time.Second), "node2", "node2:7001", false)
	require.NoError(t, err)
	_, err = n.TransferLeadership(within(t, time.Second), "node2")
	require.ErrorIs(t, err, model.ErrInvalid)
	status, err := n.Peers(t.Context())
	require.NoError(t, err)
	require.Equal(t, model.SuffrageNonvoter, status.Members[1].Suffrage)
	require.Equal(t, 0, status.FailureTolerance, "a member without a vote is no help")

	replica := member("node2", n.Term().Cluster)
	replica.Replica = true
	peers.pretend("node2:7001", replica)
	require.Never(t, func() bool { return cluster.Voters(n.node.Members()) > 1 }, 750*time.Millisecond, 20*time.Millisecond, "a replica got a vote")
	require.NoError(t, n.DeleteFatalPeer(within(t, 10*time.Second), "node2", false))
	require.Len(t, n.node.Members(), 1)
}

// holdMembership begins a change of the members, which goes on until release, or the test, ends.
func (n *testNode) holdMembership(t *testing.T) (release func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var joining sync.WaitGroup
	joining.Go(func() { _, _ = n.JoinRaftCluster(ctx, "node9", slowAddress, true) })
	release = func() { cancel(); joining.Wait() }
	t.Cleanup(release)
	<-n.peers.identifying
	return release
}

// A change of the members that waits for another one must end with its own deadline and
// change nothing afterwards.
func TestMembershipWaitsNoLongerThanItsCaller(t *testing.T) {
	t.Parallel()
	peers := newFakePeers()
	peers.onAdmit = func(peer.Admission) error { return nil }
	n := nodeOptions{peers: peers}.mustLead(t) // the only voter, which no election takes the lead from
	peers.pretend("node2:7001", blank("node2"))
	_, err := n.JoinRaftCluster(within(t, 10*time.Second), "node2", "node2:7001", false)
	require.NoError(t, err)
	release := n.holdMembership(t)
	err = n.DeleteFatalPeer(within(t, 50*time.Millisecond), "node2", true)
	require.ErrorIs(t, err, model.ErrTooManyRequests)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "it would pass for an open outcome")
	peers.pretend("node3:7001", blank("node3"))
	_, err = n.join(t, "node3", "node3:7001")
	require.ErrorIs(t, err, model.ErrTooManyRequests)
	release()
	require.Len(t, n.node.Members(), 2)
	require.NoError(t, n.DeleteFatalPeer(within(t, 10*time.Second), "node2", true))
}

// A removal must count who is alive: with one of three voters dead, taking a living one away leaves
// two of which one is dead, and no writes. The dead one may go.
func TestRemovalCountsTheLiving(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	leader, alive, dead := nodes[0], nodes[1], nodes[2]
	leader.peers.silence(dead.address, true)
	dead.close()
	ctx := within(t, 15*time.Second)
	err := leader.DeleteFatalPeer(ctx, alive.NodeID(), false)
	require.ErrorIs(t, err, model.ErrQuorumAtRisk)
	require.ErrorContains(t, err, "force=true")
	require.Len(t, leader.node.Members(), 3)
	require.NoError(t, alive.DeleteFatalPeer(ctx, dead.NodeID(), false))
	require.Len(t, leader.node.Members(), 2)
	leader.mustAdd(t, "a", "1")
	err = leader.DeleteFatalPeer(ctx, alive.NodeID(), false)
	require.NoError(t, err, "one voter that lives is a quorum of one")
	require.Len(t, leader.node.Members(), 1)
	leader.mustAdd(t, "b", "1")
}

// Another node that answers at a member's address must not pass for the member.
func TestStrangerAtAMembersAddressIsNotAlive(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	leader := nodes[0]
	leader.peers.pretend(nodes[1].address, member("node7", leader.Term().Cluster))
	require.ErrorIs(t, leader.DeleteFatalPeer(within(t, 10*time.Second), leader.NodeID(), false), model.ErrQuorumAtRisk)
	peers, err := leader.Peers(t.Context())
	require.NoError(t, err)
	require.False(t, peers.Members[1].Reachable)
	leader.cluster.LeadElsewhere(within(t, 10*time.Second))
	require.True(t, leader.node.IsLeader(), "leadership went to whoever that is")
}
