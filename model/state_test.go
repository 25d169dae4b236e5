package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever part of a state row somebody changes must be seen: with a part that is believed by itself, entries are
// applied twice, or not at all.
func TestStoreStateSeal(t *testing.T) {
	ours := Identity{Cluster: "c", Node: "node1", Store: "s"}
	state := StoreState{Identity: ours, Applied: Position{Index: 12, Term: 3}, Checksum: "1-3-ff", Shape: "tables"}.Sealed()
	require.True(t, state.Proven())
	for name, change := range map[string]func(*StoreState){
		"cluster":   func(s *StoreState) { s.Cluster = "" },
		"node":      func(s *StoreState) { s.Node = "node2" },
		"store":     func(s *StoreState) { s.Store = "t" },
		"index":     func(s *StoreState) { s.Applied.Index -= 2 },
		"term":      func(s *StoreState) { s.Applied.Term++ },
		"checksum":  func(s *StoreState) { s.Checksum = "" },
		"shape":     func(s *StoreState) { s.Shape = "" },
		"changes":   func(s *StoreState) { s.ChangesFrom = 7 },
		"restoring": func(s *StoreState) { s.Restoring = true },
		"seal":      func(s *StoreState) { s.Seal = "" },
		"between":   func(s *StoreState) { s.Cluster, s.Node = "cn", "ode1" },
	} {
		t.Run(name, func(t *testing.T) {
			changed := state
			change(&changed)
			require.False(t, changed.Proven())
			require.Equal(t, changed.Identity != ours, changed.ProvenAs(ours), "whose it was")
		})
	}
}
