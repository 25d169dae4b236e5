package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func names(checks []model.Check) (names []string) {
	for _, c := range checks {
		names = append(names, c.Name)
	}
	return names
}

// A load balancer goes by these. One that is green too early sends clients to a node that cannot
// serve; one that says nothing about why leaves the operator guessing.
func TestReadinessBeforeAndAfter(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustRun(t)
	before := n.Readiness(t.Context())
	require.Equal(t, []string{"member", "leader", "log", "store", "applier", "voters", "content"}, names(before))
	require.Subset(t, failing(before), []string{"leader", "applier"}, "it cannot have elected a leader yet")
	for _, c := range before {
		require.Equal(t, c.OK, c.Detail == "", "%s: %q", c.Name, c.Detail)
	}
	n.mustBeReady(t)
	for _, c := range n.Readiness(t.Context()) {
		require.Empty(t, c.Detail, c.Name)
	}
}

// A node that waits to be taken in is no member; it must say so, and no more than is wrong.
func TestReadinessOfAWaitingNode(t *testing.T) {
	n := nodeOptions{settings: threeListed}.mustOpen(t)
	require.Equal(t, []string{"member", "leader", "applier"}, failing(n.Readiness(within(t, 5*time.Second))))
}
