package cluster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/peer"
	"versiond/service/cluster"
)

func threeListed(address string) cluster.Parts {
	return cluster.Parts{Port: 8081, Listed: []cluster.Listed{
		{ID: "node1", Address: address, Port: 8081},
		{ID: "node2", Address: "node2:7001", Port: 8082},
		{ID: "node3", Address: "node3:7001", Port: 8083},
	}}
}

// mustFindOnce lets a node that does nothing by itself look around once.
func (n *node) mustFindOnce(t *testing.T) (waitsFor string) {
	t.Helper()
	waitsFor, err := n.FindOnce(within(t, 10*time.Second))
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
			n := options{id: "node1", parts: threeListed}.mustOpen(t)
			if status != nil {
				n.peers.pretend("node2:7001", *status)
			}
			require.Contains(t, n.mustFindOnce(t), "node3 at node3:7001", "it does not say for whom it waits")
			require.False(t, n.Node.Running())
			require.Empty(t, n.Node.Identity().Cluster)
		})
	}
	n := options{id: "node1", parts: threeListed}.mustOpen(t)
	n.peers.pretend("node3:7001", blank("node3"))
	require.Empty(t, n.mustFindOnce(t))
	require.True(t, n.Node.Running(), "two of three are blank: that is a majority")
	require.NotEmpty(t, n.Node.Identity().Cluster)
	require.ErrorContains(t, n.CheckVoters(), "1 of the 2")
}

// Two nodes that have lost everything are a majority, and the third may be the only one that still has the records. If they
// begin a cluster, also while it is stopped to be recovered, everybody is sent to an empty registry.
func TestNoClusterIsBegunBesideTheOneThatANodeHolds(t *testing.T) {
	t.Parallel()
	held, was, stopped := blank("node2"), blank("node2"), member("node2", "cluster1")
	held.StoreCluster, was.Cluster, stopped.LeaderID = "cluster1", "cluster1", ""
	for name, status := range map[string]peer.Status{"in its store": held, "in its directory": was, "without a leader": stopped} {
		t.Run(name, func(t *testing.T) {
			n := options{id: "node1", parts: threeListed}.mustOpen(t)
			n.peers.pretend("node3:7001", blank("node3"))
			n.peers.pretend("node2:7001", status)
			require.Contains(t, n.mustFindOnce(t), "cluster1, of which node2 at node2:7001 has data")
			n.peers.silence("node2:7001")
			require.Contains(t, n.mustFindOnce(t), "versiond recover --help", "it is stopped, to be recovered")
			silent := blank("node2")
			silent.StoreSilent = true
			n.peers.pretend("node2:7001", silent)
			require.Contains(t, n.mustFindOnce(t), "node2 at node2:7001 has data", "it cannot tell what its database has")
			require.False(t, n.Node.Running())
			n.peers.pretend("node2:7001", blank("node2"))
			require.Empty(t, n.mustFindOnce(t))
			require.True(t, n.Node.Running(), "it was emptied: nobody holds a cluster")
		})
	}
	n := options{id: "node1", parts: threeListed}.mustOpen(t)
	n.peers.pretend("node3:7001", blank("node3"))
	n.peers.pretend("node2:7001", stopped)
	n.mustFindOnce(t)
	n.peers.pretend("node2:7001", member("node2", "cluster2")) // recovered, and it leads
	require.Contains(t, n.mustFindOnce(t), "node2 at node2:7001 to take it in")
}

// An address in --join that leads back to the node itself, to one that is listed, or to one that is not, must not count as
// another of those that are listed: it would make a majority that is not there. And whoever gave its own has to be told.
func TestAddressesInJoinMakeNoMajority(t *testing.T) {
	t.Parallel()
	five := func(address string) cluster.Parts {
		s := threeListed(address)
		s.Listed = append(s.Listed, cluster.Listed{ID: "node4", Address: "node4:7001"}, cluster.Listed{ID: "node5", Address: "node5:7001"})
		s.Join = []string{address, "alias:7001", "node2.example:7001"}
		return s
	}
	n := options{id: "node1", parts: five}.mustOpen(t)
	n.peers.pretend("alias:7001", blank("node1"))
	n.peers.pretend("node2:7001", blank("node2"))
	n.peers.pretend("node2.example:7001", blank("node2"))
	require.Contains(t, n.mustFindOnce(t), "an answer from")
	require.False(t, n.Node.Running(), "two of five began a cluster")

	other := func(address string) cluster.Parts {
		s := threeListed(address)
		s.Join = []string{"node4:7001"}
		return s
	}
	n = options{id: "node1", parts: other}.mustOpen(t)
	n.peers.pretend("node4:7001", blank("node4"))
	require.Contains(t, n.mustFindOnce(t), "an answer from")
	require.False(t, n.Node.Running(), "one of three began a cluster with a node that is not listed")
	n.peers.pretend("node2:7001", blank("node2"))
	require.Empty(t, n.mustFindOnce(t))
	require.True(t, n.Node.Running(), "two of three did not begin a cluster")

	alone := options{id: "node9", parts: func(address string) cluster.Parts { return cluster.Parts{Join: []string{address}} }}.mustOpen(t)
	alone.mustFindOnce(t)
	require.Contains(t, alone.log.String(), "leads back to this node")
	require.Contains(t, alone.log.String(), "address="+alone.Node.Address())
}

// Where somebody is a member already, every listed node must join, the first one too.
func TestListedNodesJoinWhoeverIsAMember(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"node1", "node3"} {
		n := options{id: id, parts: threeListed}.mustOpen(t)
		n.peers.pretend("node2:7001", member("node2", "cluster1"))
		require.Contains(t, n.mustFindOnce(t), "node2 at node2:7001 to take it in", id) // which it cannot here
		require.Equal(t, []string{"node2:7001"}, n.peers.joinsAsked())
		require.False(t, n.Node.Running())
	}
}

// Only the first listed node may begin. The others wait for it, by name.
func TestOthersWaitForTheFirst(t *testing.T) {
	t.Parallel()
	n := options{id: "node2", parts: func(string) cluster.Parts { return threeListed("node1:7001") }}.mustOpen(t)
	require.Equal(t, "an answer from node1 at node1:7001, node3 at node3:7001", n.mustFindOnce(t))
	n.peers.pretend("node1:7001", blank("node1"))
	n.peers.pretend("node3:7001", blank("node3"))
	require.Equal(t, "node1 at node1:7001 to begin a cluster", n.mustFindOnce(t))
	electing := member("node3", "cluster1")
	electing.LeaderID = ""
	n.peers.pretend("node3:7001", electing)
	require.Equal(t, "the others to elect a leader", n.mustFindOnce(t))
	require.False(t, n.Node.Running())
}

// A node that is not listed waits to be joined, or asks the members that it was told; while those
// wait themselves it waits with them.
func TestUnlistedNodeWaitsForBlankMembers(t *testing.T) {
	t.Parallel()
	n := options{id: "node4", parts: func(string) cluster.Parts { return cluster.Parts{Port: 8084} }}.mustOpen(t)
	require.Contains(t, n.mustFindOnce(t), "/join/node4/"+n.Node.Address())

	asking := options{id: "node4", parts: func(string) cluster.Parts { return cluster.Parts{Join: []string{"node1:7001"}} }}.mustOpen(t)
	require.Equal(t, "an answer from node1:7001", asking.mustFindOnce(t))
	asking.peers.pretend("node1:7001", blank("node1"))
	require.Contains(t, asking.mustFindOnce(t), "node1:7001")
	asking.peers.pretend("node1:7001", member("node1", "cluster1"))
	require.Contains(t, asking.mustFindOnce(t), "node1 at node1:7001 to take it in")
	require.Equal(t, []string{"node1:7001"}, asking.peers.joinsAsked())
	require.False(t, n.Node.Running() || asking.Node.Running())
}

// A new cluster is not ready while one machine could still take it all away: a majority of those that
// were there at the beginning must have a vote.
func TestANewClusterAwaitsTheFoundersVotes(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	n.SetFounders(3)
	require.ErrorContains(t, n.CheckVoters(), "1 of the 3")
	n.SetFounders(1)
	require.NoError(t, n.CheckVoters())
}
