package chaos

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// historiesServed is how many histories of the load's records each node is asked for after a round.
const historiesServed = 40

// checkChanges holds the table of changes of every node against what clients were told in the round, and what the node answers
// of it, and returns how many changes are new. The whole table is read of another node in each round, of the others what is new
// there.
func (r *run) checkChanges(f Fault) int {
	r.t.Helper()
	nodes := r.cluster.Nodes
	whole := nodes[r.number%len(nodes)]
	found, err := r.past.Check(r.t.Context(), whole.Database, r.writes)
	require.NoError(r.t, err, "the changes of %s", whole.ID)
	r.violated(f, found)
	ids := someIDs(r.writes)
	for _, n := range nodes {
		if n != whole {
			require.NoError(r.t, r.past.Same(r.t.Context(), n.Database, false), "round %d: %s: the changes of %s against those of %s", r.number, f.Name, n.ID, whole.ID)
		}
		require.NoError(r.t, r.past.Served(r.t.Context(), n.Client, ids), "round %d: %s: as %s answers", r.number, f.Name, n.ID)
	}
	return r.past.New()
}

// requireSameChanges holds the whole tables of changes against each other.
func (r *run) requireSameChanges() {
	r.t.Helper()
	for _, n := range r.cluster.Nodes {
		require.NoError(r.t, r.past.Same(r.t.Context(), n.Database, true), "after %d rounds: the changes of %s", r.number, n.ID)
	}
}

// someIDs returns all ids of records with long histories, some of the load's from the one end of the alphabet to the other, and one
// of nobody.
func someIDs(writes []*cluster.Write) []string {
	var ids []string
	for _, w := range writes {
		ids = append(ids, w.ID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	some := []string{"nobody"}
	for i, id := range ids {
		if !strings.HasPrefix(id, loadPrefix) || i%(len(ids)/historiesServed+1) == 0 {
			some = append(some, id)
		}
	}
	return some
}
