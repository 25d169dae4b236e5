package raft

import (
	"testing"

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
