package integrity

import (
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
func TestTheMajorityIsRight(t *testing.T) {
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
			found := Compare("c", members, answers)
			got := map[string]string{}
			for _, m := range members {
				d := found.Of(m.ID)
				if d.Detail == "" {
					continue
				}
				got[m.ID] = named
				if d.Outvoted {
					got[m.ID] = outvoted
				}
				require.Contains(t, d.Detail, "at index 16")
			}
			if c.want == nil {
				c.want = map[string]string{}
			}
			require.Equal(t, c.want, got)
		})
	}
}
