package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// Only a member that has caught up may vote: with one that lags, the next failure stops all writes.
func TestWhoHasCaughtUp(t *testing.T) {
	joined := raft.Member{ID: "node2"}
	right := peer.Status{Status: raft.Status{Identity: model.Identity{Node: "node2", Cluster: "cluster1"}, Running: true, Applied: 1000}}
	right.Serving, right.Level = true, true
	require.True(t, hasCaughtUp(joined, right, "cluster1", 1000+promoteLagMax))
	for name, change := range map[string]func(*peer.Status){
		"another node":    func(s *peer.Status) { s.Node = "node3" },
		"another cluster": func(s *peer.Status) { s.Cluster = "cluster2" },
		"not running":     func(s *peer.Status) { s.Running = false },
		"a replica":       func(s *peer.Status) { s.Replica = true },
		"behind in records, of which few entries may hold most": func(s *peer.Status) { s.Level = false },
		"behind in entries": func(s *peer.Status) { s.Applied-- },
		"store not in use":  func(s *peer.Status) { s.Serving = false },
	} {
		status := right
		change(&status)
		require.False(t, hasCaughtUp(joined, status, "cluster1", 1000+promoteLagMax), name)
	}
}
