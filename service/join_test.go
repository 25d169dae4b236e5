package service

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
	"versiond/service/cluster"
)

// blank is what a node says that waits to be taken in.
func blank(id string) peer.Status {
	return peer.Status{Status: raft.Status{Identity: model.Identity{Node: id, Store: "s"}, Knows: model.CommandsKnown, State: "waiting"}, Port: 8089}
}

// member is what a running member says.
func member(id, cluster string) peer.Status {
	s := blank(id)
	s.Cluster, s.Running, s.Serving, s.State, s.LeaderID, s.Applied = cluster, true, true, "follower", "node1", 1<<40
	s.Level = true
	return s
}

func (n *testNode) join(t *testing.T, id, address string) (model.Member, error) {
	t.Helper()
	return n.JoinRaftCluster(within(t, 10*time.Second), id, address, true)
}

// A mistyped join must change nothing: a member that cannot be reached costs the cluster a vote, and
// two of them its quorum.
func TestRefusedJoinsChangeNothing(t *testing.T) {
	t.Parallel()
	peers := newFakePeers()
	peers.onAdmit = func(a peer.Admission) error {
		t.Errorf("a refused node was admitted to %s", a.Cluster)
		return nil
	}
	n := nodeOptions{peers: peers}.mustLead(t)
	ours := n.Term().Cluster
	foreignStore, foreignNode := blank("node2"), member("node2", "cluster2")
	foreignStore.StoreCluster = "cluster2"
	outdated := blank("node2")
	outdated.Knows, outdated.Release = 0, "v0.9"
	peers.pretend("release-before:7001", outdated)
	peers.pretend("blank:7001", blank("node2"))
	peers.pretend("foreign:7001", foreignNode)
	peers.pretend("foreign-store:7001", foreignStore)
	peers.pretend("impostor:7001", member("node1", ours))
	peers.pretend("blank-impostor:7001", blank("node1"))
	before := n.node.Members()
	for name, each := range map[string]struct {
		id, address string
		want        error
	}{
		"unreachable":           {"node2", "nobody:7001", model.ErrNodeUnreachable},
		"wrong id":              {"node3", "blank:7001", model.ErrWrongNode},
		"own id elsewhere":      {"node1", "blank:7001", model.ErrWrongNode},
		"other cluster":         {"node2", "foreign:7001", model.ErrWrongNode},
		"other cluster's store": {"node2", "foreign-store:7001", model.ErrWrongNode},
		"own id, same cluster":  {"node1", "impostor:7001", model.ErrIDInUse},
		"own id, blank":         {"node1", "blank-impostor:7001", model.ErrIDInUse},
		"taken address":         {"node2", n.address, model.ErrWrongNode},
		"a release of before":   {"node2", "release-before:7001", model.ErrWrongNode},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.join(t, each.id, each.address)
			require.ErrorIs(t, err, each.want)
			require.Equal(t, before, n.node.Members())
		})
	}
}

// The leader knows that it lives, even where it cannot reach its own address, as behind a NAT: a
// second machine with its id must not take its place.
func TestLeaderIsNotReplacedByItsNamesake(t *testing.T) {
	t.Parallel()
	peers := newFakePeers()
	n := nodeOptions{peers: peers}.mustLead(t)
	peers.silence(n.address, true)
	before := n.node.Members()
	for name, status := range map[string]peer.Status{"blank": blank("node1"), "running": member("node1", n.Term().Cluster)} {
		peers.pretend("namesake:7001", status)
		_, err := n.join(t, "node1", "namesake:7001")
		require.ErrorIs(t, err, model.ErrIDInUse, name)
		require.Equal(t, before, n.node.Members(), name)
	}
	require.True(t, n.node.IsLeader())
	n.mustAdd(t, "a", "1")
}

// A member that is asked for again stays what it is; two members cannot have one address; and one
// that still answers at its old address does not move.
func TestJoiningAgain(t *testing.T) {
	t.Parallel()
	peers := newFakePeers()
	var told []peer.Admission
	peers.onAdmit = func(a peer.Admission) error { told = append(told, a); return nil }
	n := nodeOptions{peers: peers}.mustLead(t)
	replica := member("node2", n.Term().Cluster)
	replica.Replica = true // never promoted, so the leader needs nobody
	peers.pretend("node2:7001", blank("node2"))
	joined, err := n.JoinRaftCluster(within(t, 10*time.Second), "node2", "node2:7001", false)
	require.NoError(t, err)
	require.Equal(t, model.Member{ID: "node2", Address: "node2:7001", Port: 8089}, joined)
	require.Len(t, told, 1)
	peers.pretend("node2:7001", replica)
	again, err := n.JoinRaftCluster(within(t, 10*time.Second), "node2", "node2:7001", false)
	require.NoError(t, err)
	require.Equal(t, joined, again)
	require.Len(t, told, 1, "a member was admitted again")
	_, err = n.join(t, "node2", "node2:7001")
	require.NoError(t, err)
	require.Len(t, told, 2)
	require.False(t, told[1].Replica, "it is to have a vote now")

	peers.pretend("elsewhere:7001", replica)
	_, err = n.join(t, "node2", "elsewhere:7001")
	require.ErrorIs(t, err, model.ErrIDInUse)
	peers.silence("node2:7001", true)
	moved, err := n.join(t, "node2", "elsewhere:7001")
	require.NoError(t, err)
	require.Equal(t, model.Member{ID: "node2", Address: "elsewhere:7001", Port: 8089}, moved)

	peers.pretend("elsewhere:7001", blank("node3"))
	_, err = n.join(t, "node3", "elsewhere:7001")
	require.ErrorIs(t, err, model.ErrAddressInUse)
	require.ErrorContains(t, err, "node2")
	require.Len(t, n.node.Members(), 2)
}

// A node that cannot be told that it was added must not stay among the members, as one more that has
// to be removed by hand; neither one that refuses when it is told once more.
func TestFailedAdmissionIsUndone(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("%w: its database belongs to another cluster", model.ErrWrongNode)
	for name, answers := range map[string][]error{
		"it cannot be reached":            {fmt.Errorf("%w: %w", model.ErrNoAnswer, model.ErrNeverSent)},
		"it refuses":                      {refused},
		"it refuses, as it said too late": {model.ErrNoAnswer, refused},
	} {
		t.Run(name, func(t *testing.T) {
			peers := newFakePeers()
			peers.onAdmit = func(peer.Admission) (err error) {
				err, answers = answers[0], answers[1:]
				return err
			}
			n := nodeOptions{peers: peers}.mustLead(t)
			peers.pretend("node2:7001", blank("node2"))
			_, err := n.join(t, "node2", "node2:7001")
			require.ErrorIs(t, err, model.ErrNodeUnreachable)
			require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
			require.Len(t, n.node.Members(), 1)
		})
	}
}

// A node that was told that it is a member, and whose answer was lost, runs Raft and never asks again to be let in: if it
// is taken out, the cluster lacks it for good, and nobody says so.
func TestNodeStaysWhoseAnswerToItsAdmissionIsLost(t *testing.T) {
	t.Parallel()
	t.Run("once", func(t *testing.T) {
		leader, other := mustLoseAdmissions(t, 1)
		_, err := leader.join(t, "node2", other.address)
		require.NoError(t, err, "it was not told once more")
		other.mustBeIn(t, leader)
	})
	t.Run("the caller's time is over", func(t *testing.T) {
		leader, other := mustLoseAdmissions(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		lose := leader.peers.onAdmit
		leader.peers.onAdmit = func(a peer.Admission) error { cancel(); return lose(a) }
		_, err := leader.JoinRaftCluster(ctx, "node2", other.address, true)
		require.NoError(t, err)
		other.mustBeIn(t, leader)
	})
	t.Run("again and again", func(t *testing.T) {
		leader, other := mustLoseAdmissions(t, 2)
		_, err := leader.join(t, "node2", other.address)
		require.ErrorIs(t, err, model.ErrOutcomeUnknown)
		require.NotErrorIs(t, err, model.ErrNodeUnreachable, "it promises that nothing was changed")
		require.ErrorContains(t, err, other.address)
		other.mustBeIn(t, leader)
	})
}

// mustLoseAdmissions has a leader, and a blank node whose first answers to its admission are lost.
func mustLoseAdmissions(t *testing.T, lost int) (leader, other *testNode) {
	t.Helper()
	peers := newFakePeers()
	peers.onAdmit = func(a peer.Admission) error {
		err := other.Admit(t.Context(), a)
		if lost--; lost >= 0 {
			return fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, other.address, model.ErrNoAnswer)
		}
		return err
	}
	leader = nodeOptions{peers: peers}.mustLead(t)
	other = nodeOptions{id: "node2", peers: peers, settings: func(string) Settings { return Settings{Port: 8082} }}.mustRun(t)
	return leader, other
}

// mustBeIn wants a node to be a member, and to be sent everything.
func (n *testNode) mustBeIn(t *testing.T, leader *testNode) {
	t.Helper()
	require.Len(t, leader.node.Members(), 2)
	added := leader.mustAdd(t, "a", "1")
	require.NoError(t, n.node.WaitApplied(within(t, 10*time.Second), added.Index))
	require.Len(t, n.node.Members(), 2)
}

// A voter that lost its disk acknowledged writes that it no longer has. With its vote it could elect
// a leader without them, so it must be taken in again without.
func TestBlankVoterLosesItsVote(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	leader, lost := nodes[0], nodes[2]
	lost.close()
	peers := leader.peers
	peers.onAdmit = func(peer.Admission) error { return nil } // all were admitted before, nobody asks now
	peers.pretend(lost.address, blank("node3"))
	peers.silence(nodes[1].address, true)
	_, err := leader.join(t, "node3", lost.address)
	require.ErrorIs(t, err, model.ErrQuorumAtRisk, "the last other voter is silent, and what it holds may be nowhere else")
	require.Equal(t, 3, cluster.Voters(leader.node.Members()))

	peers.silence(nodes[1].address, false)
	joined, err := leader.join(t, "node3", lost.address)
	require.NoError(t, err)
	require.False(t, joined.Voter)
	require.Equal(t, 2, cluster.Voters(leader.node.Members()))
}
