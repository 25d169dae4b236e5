package service

import (
	"context"
	"sync"
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

// A new cluster is not ready while one machine could still take it all away: a majority of those that
// were there at the beginning must have a vote.
func TestReadinessAwaitsTheFoundersVotes(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.founders.Store(3)
	checks := n.Readiness(t.Context())
	require.Equal(t, []string{"voters"}, failing(checks))
	require.Contains(t, checks[5].Detail, "1 of the 3")
	n.founders.Store(1)
	n.mustBeReady(t)
	require.Zero(t, n.founders.Load(), "it is not asked again once it was reached")
}

// A removed node answers nothing that could be old, and is red; taken back it is green again.
func TestReadinessOfARemovedNode(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustOpen(t) // not run: nobody but the test looks whether it is a member
	require.Empty(t, n.mustFindOnce(t))
	n.mustBeReady(t)
	n.mustAdd(t, "a", "1")
	removed := model.ErrNodeRemoved
	n.removal.Store(&removed)
	checks := n.Readiness(t.Context())
	require.Equal(t, []string{"member"}, failing(checks))
	require.Contains(t, checks[0].Detail, "/join")
	_, _, err := n.ApplyCommands(t.Context(), model.Singles(add("b", "1")))
	require.ErrorIs(t, err, model.ErrNodeRemoved)
	_, err = n.GetVersionByID(within(t, time.Second), "a", model.ReadOptions{Level: model.LevelLinearizable})
	require.ErrorIs(t, err, model.ErrNodeRemoved)

	watching, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { n.watchMembership(watching) })
	n.mustBeReady(t)
	n.mustAdd(t, "b", "1")
}
