package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
)

// lies makes a node say that it has other records than it has.
func (n *testNode) lies(t *testing.T) {
	t.Helper()
	status := n.Status(t.Context())
	for i := range status.Content {
		status.Content[i].Checksum = model.NewChecksum(7, status.Content[i].Index)
	}
	n.peers.pretend(n.address, status)
}

// Nodes that have applied the same must say the same of their records, whoever is asked, and however
// they came by them.
func TestMembersAgree(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	for _, id := range []string{"a", "b", "c"} {
		nodes[0].mustAdd(t, id, "1")
	}
	for _, n := range nodes {
		require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
		require.NoError(t, n.trust.Err())
	}
	eventually(t, func() bool {
		peers, err := nodes[1].Peers(t.Context())
		require.NoError(t, err)
		first := peers.Members[0]
		for _, m := range peers.Members {
			require.Empty(t, m.Divergence)
			if m.Checksum != first.Checksum || m.ChecksumIndex != first.ChecksumIndex || m.ChecksumIndex != m.AppliedIndex {
				return false
			}
		}
		return first.Checksum == nodes[0].ChecksumInternal()
	})
}

// A node whose records a majority does not have must stop serving them, build its store anew, and come
// back only when the majority has the same; its operators must see why.
func TestOutvotedNodeRebuilds(t *testing.T) {
	t.Parallel()
	nodes, gen := mustOutvote(t)
	outvoted := nodes[2]
	require.Contains(t, failing(outvoted.Readiness(t.Context())), "content")
	require.ErrorContains(t, outvoted.trust.Err(), "node1, node2, a majority")
	outvoted.requireServesNothingAt(t, model.LevelNone)
	peers, err := outvoted.Peers(t.Context())
	require.NoError(t, err)
	require.Contains(t, peers.Members[2].Divergence, "store content differs from the log")

	outvoted.mustRebuild(t, gen)
	require.ErrorIs(t, outvoted.trust.Err(), model.ErrStoreDiffers, "the majority still has other records")
	nodes[0].peers.honest(nodes[0].address)
	nodes[1].peers.honest(nodes[1].address)
	outvoted.mustBeReady(t)
	require.Equal(t, "1", outvoted.mustGet(t, "a").VersionNo)
}

// mustOutvote returns a cluster of which the first two members say that the third has other records, and the generation of
// the third one's store before that.
func mustOutvote(t *testing.T) (nodes []*testNode, gen uint64) {
	t.Helper()
	nodes = mustCluster(t, 3)
	added := nodes[0].mustAdd(t, "a", "1")
	for _, n := range nodes {
		require.NoError(t, n.node.WaitApplied(within(t, serviceTimeout), added.Index))
	}
	gen = nodes[2].trust.Gen()
	nodes[0].lies(t)
	nodes[1].peers.pretend(nodes[1].address, nodes[0].statusAs(t, nodes[1]))
	nodes[2].guard.CompareWithMembers(t.Context())
	return nodes, gen
}

// mustRebuild waits until a store that was outvoted is built anew.
func (n *testNode) mustRebuild(t *testing.T, gen uint64) {
	t.Helper()
	eventually(t, func() bool { return n.trust.Gen() > gen+2 && n.node.Serving() })
}

// An operator who finds that the outvoted node is right takes out the others. There is nobody then whom it could wait to
// agree with: if this fails, the only member that is left serves nothing before it is started again.
func TestOutvotedNodeThatIsLeftAloneServes(t *testing.T) {
	t.Parallel()
	nodes, gen := mustOutvote(t)
	left := nodes[2]
	left.mustRebuild(t, gen)
	for _, wrong := range []*testNode{nodes[1], nodes[0]} { // the leader last
		eventually(t, func() bool { // the lead may move on a busy machine
			return left.cluster.Remove(within(t, serviceTimeout), wrong.node.Identity().Node, true) == nil
		})
	}
	left.mustBeReady(t)
	require.NoError(t, left.trust.Err())
	require.Equal(t, "1", left.mustGet(t, "a").VersionNo)
}

// statusAs returns what another node says, as if this one said it.
func (n *testNode) statusAs(t *testing.T, other *testNode) peer.Status {
	t.Helper()
	said, err := n.peers.Status(t.Context(), n.address)
	require.NoError(t, err)
	status := other.Status(t.Context())
	status.Content = said.Content
	return status
}

func (n *testNode) requireServesNothingAt(t *testing.T, level model.Level) {
	t.Helper()
	_, err := n.GetVersionByID(within(t, serviceTimeout), "a", model.ReadOptions{Level: level})
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
}

// Where no majority says who is right, throwing away either's records may throw away the right ones:
// operators are told, by both, and nothing is taken out of service.
func TestDisagreementWithoutMajority(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	added := nodes[0].mustAdd(t, "a", "1")
	for _, n := range nodes {
		require.NoError(t, n.node.WaitApplied(within(t, serviceTimeout), added.Index))
	}
	nodes[1].peers.silence(nodes[1].address, true)
	nodes[0].lies(t)
	n := nodes[2]
	n.guard.CompareWithMembers(context.WithoutCancel(t.Context()))
	require.NoError(t, n.trust.Err())
	require.True(t, n.Measures().MembersDisagree)
	require.Contains(t, n.detailOf(t, "content"), "no majority")
	require.NotContains(t, failing(n.Readiness(t.Context())), "content")
	peers, err := n.Peers(t.Context())
	require.NoError(t, err)
	require.Contains(t, peers.Members[0].Divergence, "node3")
	require.Contains(t, peers.Members[2].Divergence, "node1")

	nodes[0].peers.honest(nodes[0].address)
	n.guard.CompareWithMembers(t.Context())
	require.False(t, n.Measures().MembersDisagree)
	require.Empty(t, n.detailOf(t, "content"))
}
