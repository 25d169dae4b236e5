package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
	"versiond/raft/datadir"
)

// A node that comes back with the state of a cluster that was given up must be refused, and told what
// to do; one with an emptied directory must get in although its database is still the old one. If this
// fails, two histories are merged, or nobody can come back.
func TestJoinOfAFormerMember(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustOpen(t)
	require.NoError(t, n.node.Bootstrap("recovered"))
	n.mustBeReady(t)
	require.NoError(t, n.setFormer("given-up"))

	old := peer.Status{Status: raft.Status{Identity: model.Identity{Cluster: "given-up", Node: "node2"}, Knows: model.CommandsKnown, Running: true}}
	n.peers.pretend("127.0.0.1:7002", old)
	_, err := n.JoinRaftCluster(t.Context(), "node2", "127.0.0.1:7002", true)
	require.ErrorIs(t, err, model.ErrWrongNode)
	require.ErrorContains(t, err, "empty its data directory")
	require.Len(t, n.node.Members(), 1)

	stranger := peer.Status{Status: raft.Status{Identity: model.Identity{Node: "node2"}, Knows: model.CommandsKnown}, StoreCluster: "another"}
	n.peers.pretend("127.0.0.1:7002", stranger)
	_, err = n.JoinRaftCluster(t.Context(), "node2", "127.0.0.1:7002", true)
	require.ErrorIs(t, err, model.ErrWrongNode)

	var told peer.Admission
	n.peers.onAdmit = func(a peer.Admission) error { told = a; return nil }
	stranger.StoreCluster = "given-up"
	n.peers.pretend("127.0.0.1:7002", stranger)
	_, err = n.JoinRaftCluster(t.Context(), "node2", "127.0.0.1:7002", false)
	require.NoError(t, err)
	require.Equal(t, peer.Admission{Cluster: "recovered", Former: []string{"given-up"}, Replica: true}, told)
}

// An emptied node takes its database of a cluster that was given up for nothing that must be kept, and
// one of any other cluster for somebody's.
func TestAdmissionOverAFormerDatabase(t *testing.T) {
	t.Parallel()
	first := nodeOptions{}.mustLead(t)
	first.mustAdd(t, "old", "1")
	given := first.node.Identity().Cluster
	state, err := first.StateInternal(t.Context())
	require.NoError(t, err)
	first.close()

	n := nodeOptions{}.mustOpen(t)
	require.NoError(t, n.store.BeginRestore(t.Context(), state.Identity))
	require.ErrorIs(t, n.Admit(t.Context(), peer.Admission{Cluster: "other", Former: []string{"unrelated"}}), model.ErrWrongNode)
	require.NoError(t, n.Admit(t.Context(), peer.Admission{Cluster: "recovered", Former: []string{given}}))
	eventually(t, func() bool {
		state, err := n.StateInternal(t.Context())
		return err == nil && state.Cluster == "recovered"
	})
	require.NoError(t, n.node.Err())
	require.Equal(t, []string{given}, n.Status(t.Context()).Former)
}

// setFormer notes, as a recovery does, which cluster this one was recovered from.
func (n *testNode) setFormer(cluster string) error {
	return n.dir.SetCluster(datadir.Membership{Cluster: n.node.Identity().Cluster, Former: []string{cluster}})
}
