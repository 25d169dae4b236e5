package cluster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/peer"
)

// One member that cannot read the entry from which on changes are kept would stop at it, also one without a vote, and one
// that may be of any release, since it does not answer. Whoever waits for the history to begin is told for whom.
func TestChangesAreKeptOnceEveryMemberCanReadThat(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	ours := n.Node.Identity().Cluster
	require.Empty(t, n.Unready(t.Context()))
	require.NoError(t, n.Node.AddNonvoter(within(t, 10*time.Second), "node2", "node2:7001"))
	require.Equal(t, []string{"node2, which does not answer"}, n.Unready(t.Context()))
	outdated := func() peer.Status {
		s := member("node2", ours)
		s.Knows, s.Release = 0, "v0.9"
		return s
	}
	for _, each := range []struct {
		name    string
		answers func() peer.Status
		unready []string
	}{
		{"a release of before", outdated, []string{"node2 of release v0.9"}},
		{"another node", func() peer.Status { return member("node3", ours) }, []string{"node2, which does not answer"}},
		{"this release", func() peer.Status { return member("node2", ours) }, nil},
	} {
		n.peers.pretend("node2:7001", each.answers())
		require.Equal(t, each.unready, n.Unready(t.Context()), each.name)
	}

	// It is said once for whom the history waits, and again when that changes.
	told := ""
	for range 3 {
		n.peers.pretend("node2:7001", member("node3", ours))
		told = n.TryKeepChanges(t.Context(), told)
	}
	require.Equal(t, 1, strings.Count(n.log.String(), `waitingFor="node2, which does not answer"`))
	n.peers.pretend("node2:7001", outdated())
	require.Equal(t, "node2 of release v0.9", n.TryKeepChanges(t.Context(), told))
	require.Contains(t, n.log.String(), `waitingFor="node2 of release v0.9"`)
}
