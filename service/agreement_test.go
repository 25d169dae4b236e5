package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// points makes checkpoints from indexes and what the records are at each, as a number.
func points(indexAndSum ...uint64) (all []model.Checkpoint) {
	for i := 0; i < len(indexAndSum); i += 2 {
		all = append(all, model.Checkpoint{Index: indexAndSum[i], Checksum: model.NewChecksum(1, indexAndSum[i+1])})
	}
	return all
}

// Of nodes that differ, the one that a majority contradicts is the wrong one; without a majority nobody
// may be told to throw its records away. If this fails, the healthy nodes rebuild, or none does.
func TestCompareContents(t *testing.T) {
	const outvoted, named = "outvoted", "named"
	for name, c := range map[string]struct {
		members int
		content map[string][]model.Checkpoint
		want    map[string]string // by the nodes that something is said of
	}{
		"all the same":                         {3, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 1), "node3": points(16, 1)}, nil},
		"one against two":                      {3, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 2), "node3": points(16, 1)}, map[string]string{"node2": outvoted}},
		"not equally far":                      {3, map[string][]model.Checkpoint{"node1": points(16, 1, 20, 5), "node2": points(16, 1, 25, 6), "node3": points(16, 1, 30, 7)}, nil},
		"different at what all know":           {3, map[string][]model.Checkpoint{"node1": points(16, 1, 20, 5), "node2": points(16, 1, 25, 6), "node3": points(16, 9, 30, 7)}, map[string]string{"node3": outvoted}},
		"the highest of those that all know":   {3, map[string][]model.Checkpoint{"node1": points(16, 9, 32, 2), "node2": points(16, 1, 32, 2), "node3": points(16, 1, 32, 2)}, nil},
		"one against one, one is silent":       {3, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 2)}, map[string]string{"node1": named, "node2": named}},
		"two of two":                           {2, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 2)}, map[string]string{"node1": named, "node2": named}},
		"each of three by itself":              {3, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 2), "node3": points(16, 3)}, map[string]string{"node1": named, "node2": named, "node3": named}},
		"two against one of five, two silent":  {5, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 1), "node3": points(16, 2)}, map[string]string{"node1": named, "node2": named, "node3": named}},
		"three against two of five":            {5, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(16, 1), "node3": points(16, 2), "node4": points(16, 3), "node5": points(16, 1)}, map[string]string{"node3": outvoted, "node4": outvoted}},
		"an older release knows no checksums":  {3, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": nil, "node3": points(16, 1)}, nil},
		"a later release has another formula":  {3, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": {{Index: 16, Checksum: "2-1-00"}}, "node3": points(16, 1)}, nil},
		"alone":                                {1, map[string][]model.Checkpoint{"node1": points(16, 1)}, nil},
		"nothing in common":                    {2, map[string][]model.Checkpoint{"node1": points(16, 1), "node2": points(17, 2)}, nil},
		"a member of another cluster counts 0": {3, map[string][]model.Checkpoint{"node1": points(16, 1), "stranger": points(16, 2), "node3": points(16, 1)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var members []raft.Member
			var answers []*peer.Status
			for _, id := range []string{"node1", "node2", "node3", "node4", "node5"}[:c.members] {
				members = append(members, raft.Member{ID: id})
				status := &peer.Status{}
				status.Node, status.Cluster, status.Content = id, "c", c.content[id]
				if foreign, ok := c.content["stranger"]; ok && id == "node2" {
					status.Cluster, status.Content = "another", foreign
				}
				if c.content[id] == nil && status.Content == nil {
					status = nil
				}
				answers = append(answers, status)
			}
			found := compareContents("c", members, answers)
			got := map[string]string{}
			for _, m := range members {
				if d, differs := found.of(m.ID); differs {
					got[m.ID] = named
					if d.outvoted {
						got[m.ID] = outvoted
					}
					require.Contains(t, d.detail, "at index 16")
				}
			}
			if c.want == nil {
				c.want = map[string]string{}
			}
			require.Equal(t, c.want, got)
		})
	}
}

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
		require.NoError(t, n.checkContent())
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
	nodes := mustCluster(t, 3)
	outvoted := nodes[2]
	added := nodes[0].mustAdd(t, "a", "1")
	for _, n := range nodes {
		require.NoError(t, n.node.WaitApplied(within(t, serviceTimeout), added.Index))
	}
	gen := outvoted.storeGen.Load()
	nodes[0].lies(t)
	nodes[1].peers.pretend(nodes[1].address, nodes[0].statusAs(t, nodes[1]))
	outvoted.compareWithMembers(t.Context())
	require.Contains(t, failing(outvoted.Readiness(t.Context())), "content")
	require.ErrorContains(t, outvoted.checkContent(), "node1, node2, a majority")
	outvoted.requireServesNothingAt(t, model.LevelNone)
	peers, err := outvoted.Peers(t.Context())
	require.NoError(t, err)
	require.Contains(t, peers.Members[2].Divergence, "store content differs from the log")

	eventually(t, func() bool { return outvoted.storeGen.Load() > gen+2 && outvoted.node.Serving() }) // it was built anew
	require.ErrorIs(t, outvoted.checkContent(), model.ErrStoreDiffers, "the majority still has other records")
	nodes[0].peers.honest(nodes[0].address)
	nodes[1].peers.honest(nodes[1].address)
	outvoted.mustBeReady(t)
	require.Equal(t, "1", outvoted.mustGet(t, "a").VersionNo)
}

// statusAs gives what another node says, as if this one said it.
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
	n.compareWithMembers(context.WithoutCancel(t.Context()))
	require.NoError(t, n.checkContent())
	require.True(t, n.Measures().MembersDisagree)
	require.Contains(t, n.contentCheck().Detail, "no majority")
	require.True(t, n.contentCheck().OK)
	peers, err := n.Peers(t.Context())
	require.NoError(t, err)
	require.Contains(t, peers.Members[0].Divergence, "node3")
	require.Contains(t, peers.Members[2].Divergence, "node1")

	nodes[0].peers.honest(nodes[0].address)
	n.compareWithMembers(t.Context())
	require.False(t, n.Measures().MembersDisagree)
	require.Empty(t, n.contentCheck().Detail)
}
