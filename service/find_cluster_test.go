package service

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/model"
	"versiond/peer"
)

func threeListed(address string) Settings {
	return Settings{Port: 8081, Listed: []Listed{
		{ID: "node1", Address: address, Port: 8081},
		{ID: "node2", Address: "node2:7001", Port: 8082},
		{ID: "node3", Address: "node3:7001", Port: 8083},
	}}
}

// findOnce lets a node that does nothing by itself look around once.
func (n *testNode) mustFindOnce(t *testing.T) (waitsFor string) {
	t.Helper()
	waitsFor, err := n.findOnce(within(t, 10*time.Second))
	require.NoError(t, err)
	return waitsFor
}

// A first node that begins a cluster by itself, while the others have one that it lost touch with,
// makes two clusters of one, and writes are lost when they meet.
func TestClusterBeginsOnlyWithAMajorityOfBlankNodes(t *testing.T) {
	t.Parallel()
	held, unknown, was := blank("node2"), blank("node2"), blank("node2")
	held.StoreCluster, unknown.StoreSilent, was.Cluster = "cluster1", true, "cluster1"
	stopped := member("node2", "cluster1")
	stopped.LeaderID = ""
	for name, status := range map[string]*peer.Status{
		"nobody answers":                   nil,
		"a store of a cluster":             &held,
		"a store that cannot be asked":     &unknown,
		"a directory of a cluster":         &was,
		"a member that knows of no leader": &stopped,
	} {
		t.Run(name, func(t *testing.T) {
			n := nodeOptions{settings: threeListed}.mustOpen(t)
			if status != nil {
				n.peers.pretend("node2:7001", *status)
			}
			require.Contains(t, n.mustFindOnce(t), "node3 at node3:7001", "it does not say for whom it waits")
			require.False(t, n.node.Running())
			require.Empty(t, n.Term().Cluster)
		})
	}
	n := nodeOptions{settings: threeListed}.mustOpen(t)
	n.peers.pretend("node3:7001", blank("node3"))
	require.Empty(t, n.mustFindOnce(t))
	require.True(t, n.node.Running(), "two of three are blank: that is a majority")
	require.NotEmpty(t, n.Term().Cluster)
	require.EqualValues(t, 2, n.founders.Load())
}

// An address in --join that leads back to the node itself, or to one that is listed, must not count as
// another node: it would make a majority that is not there. And whoever gave it has to be told.
func TestOwnAddressInJoinIsNobodyElse(t *testing.T) {
	t.Parallel()
	five := func(address string) Settings {
		s := threeListed(address)
		s.Listed = append(s.Listed, Listed{ID: "node4", Address: "node4:7001"}, Listed{ID: "node5", Address: "node5:7001"})
		s.Join = []string{address, "alias:7001", "node2.example:7001"}
		return s
	}
	n := nodeOptions{settings: five}.mustOpen(t)
	n.peers.pretend("alias:7001", blank("node1"))
	n.peers.pretend("node2:7001", blank("node2"))
	n.peers.pretend("node2.example:7001", blank("node2"))
	require.Contains(t, n.mustFindOnce(t), "an answer from")
	require.False(t, n.node.Running(), "two of five began a cluster")

	var log bytes.Buffer
	alone := nodeOptions{id: "node9", settings: func(address string) Settings { return Settings{Join: []string{address}} }}.mustOpen(t)
	alone.calm = slog.New(slog.NewTextHandler(&log, nil))
	alone.mustFindOnce(t)
	require.Contains(t, log.String(), "leads back to this node")
	require.Contains(t, log.String(), "address="+alone.node.Address())
}

// A node whose data directory was lost may still have its database. To begin anew over it would put
// an empty cluster in the place of every record.
func TestClusterIsNotBegunOverAnotherOnesDatabase(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustOpen(t)
	require.NoError(t, n.store.BeginRestore(t.Context(), model.Identity{Cluster: "cluster9", Node: "node1", Store: "s"}))
	require.Contains(t, n.mustFindOnce(t), "cluster9")
	require.False(t, n.node.Running())
	status := n.Status(t.Context())
	require.Equal(t, "cluster9", status.StoreCluster)
	require.False(t, status.StoreSilent)

	err := n.Admit(t.Context(), peer.Admission{Cluster: "cluster2"})
	require.ErrorIs(t, err, model.ErrWrongNode)
	require.ErrorContains(t, err, "cluster9")
	require.False(t, n.node.Running())
	require.NoError(t, n.Admit(t.Context(), peer.Admission{Cluster: "cluster9"}), "its own cluster takes it back")
	require.True(t, n.node.Running())

	silent := nodeOptions{}.mustOpen(t)
	require.NoError(t, db.Close(silent.store.DB))
	require.Contains(t, silent.mustFindOnce(t), "its database")
	require.False(t, silent.node.Running(), "nobody knows what a database that does not answer holds")
	require.True(t, silent.Status(t.Context()).StoreSilent)
}

// Where somebody is a member already, every listed node must join, the first one too.
func TestListedNodesJoinWhoeverIsAMember(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"node1", "node3"} {
		n := nodeOptions{id: id, settings: threeListed}.mustOpen(t)
		n.peers.pretend("node2:7001", member("node2", "cluster1"))
		require.Contains(t, n.mustFindOnce(t), "node2 at node2:7001 to take it in", id) // which it cannot here
		require.Equal(t, []string{"join node2:7001"}, n.peers.called())
		require.False(t, n.node.Running())
	}
}

// Only the first listed node may begin. The others wait for it, by name.
func TestOthersWaitForTheFirst(t *testing.T) {
	t.Parallel()
	n := nodeOptions{id: "node2", settings: func(string) Settings { return threeListed("node1:7001") }}.mustOpen(t)
	require.Equal(t, "an answer from node1 at node1:7001, node3 at node3:7001", n.mustFindOnce(t))
	n.peers.pretend("node1:7001", blank("node1"))
	n.peers.pretend("node3:7001", blank("node3"))
	require.Equal(t, "node1 at node1:7001 to begin a cluster", n.mustFindOnce(t))
	electing := member("node3", "cluster1")
	electing.LeaderID = ""
	n.peers.pretend("node3:7001", electing)
	require.Equal(t, "the others to elect a leader", n.mustFindOnce(t))
	require.False(t, n.node.Running())
}

// A node that is not listed waits to be joined, or asks the members that it was told; while those
// wait themselves it waits with them.
func TestUnlistedNodeWaitsForBlankMembers(t *testing.T) {
	t.Parallel()
	n := nodeOptions{id: "node4", settings: func(string) Settings { return Settings{Port: 8084} }}.mustOpen(t)
	require.Contains(t, n.mustFindOnce(t), "/join/node4/"+n.address)

	asking := nodeOptions{id: "node4", settings: func(string) Settings { return Settings{Join: []string{"node1:7001"}} }}.mustOpen(t)
	require.Equal(t, "an answer from node1:7001", asking.mustFindOnce(t))
	asking.peers.pretend("node1:7001", blank("node1"))
	require.Contains(t, asking.mustFindOnce(t), "node1:7001")
	asking.peers.pretend("node1:7001", member("node1", "cluster1"))
	require.Contains(t, asking.mustFindOnce(t), "node1 at node1:7001 to take it in")
	require.Equal(t, []string{"join node1:7001"}, asking.peers.called())
	require.False(t, n.node.Running() || asking.node.Running())
}

// The leader may repeat its admission; another cluster's must not pull a member over.
func TestAdmissionIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	n := nodeOptions{settings: threeListed}.mustOpen(t)
	require.ErrorIs(t, n.Admit(t.Context(), peer.Admission{}), model.ErrInvalid)
	require.False(t, n.node.Running())
	for range 2 {
		require.NoError(t, n.Admit(t.Context(), peer.Admission{Cluster: "cluster1"}))
	}
	require.ErrorIs(t, n.Admit(t.Context(), peer.Admission{Cluster: "cluster2"}), model.ErrWrongNode)
	require.Equal(t, "cluster1", n.Term().Cluster)
	require.True(t, n.node.Running())
}

// A member that is started again must take up where it was, without asking anybody: its cluster may
// be waiting for just this vote.
func TestMemberStartsAgainByItself(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	added := n.mustAdd(t, "a", "1").Record
	cluster := n.Term().Cluster
	n.close()
	require.NoError(t, n.Close(), "closing again must do no harm: main closes what a failed start has opened")
	require.NoError(t, db.Close(n.store.DB))
	again := nodeOptions{path: n.path}.mustLead(t)
	require.Equal(t, cluster, again.Term().Cluster)
	require.Equal(t, added, again.mustGet(t, "a"))
}
