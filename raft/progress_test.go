package raft

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A read that waits for an index of a cluster that is no more may come again and again: the store must not be given one entry
// at a time for it. What is committed elsewhere already, and is heard of here a moment later, is not such an index.
func TestWaitForAnIndexThatWillNotComeHurriesNobody(t *testing.T) {
	a := mustApplier(t, model.Identity{Cluster: "c", Node: "node1", Store: "s"})
	require.False(t, a.awaited())
	a.progress.enlist(a.committed() + 1_000_000)
	require.False(t, a.awaited())
	near := a.progress.enlist(a.committed() + 1)
	require.True(t, a.awaited())
	a.progress.publish(model.Position{Index: near.index, Term: 2})
	require.False(t, a.awaited())
}

// A leader that has not applied what was acknowledged before it led knows less than those who ask it.
func TestANewLeaderIsNotLevelBeforeItHasApplied(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 3)
	require.True(t, n.LeadsLevel())
	n.close(t)
	c.store.RefuseCommits(1 << 30)
	n = c.mustOpen(t)
	require.Eventually(t, n.IsLeader, 10*time.Second, 5*time.Millisecond)
	require.False(t, n.LeadsLevel())
	c.store.RefuseCommits(0)
	n.mustAdd(t, "b", 1)
	require.True(t, n.LeadsLevel())
}
