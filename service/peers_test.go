package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/peer"
)

// Whoever looks at one node sees what is wrong with every other one, by the names that its own /readyz has.
func TestPeersNameTheChecksThatFail(t *testing.T) {
	ready := func() *peer.Status {
		s := &peer.Status{Level: true}
		s.Running, s.Serving, s.LeaderID = true, true, "node1"
		return s
	}
	require.Empty(t, failingChecks(ready()))
	for name, harm := range map[string]func(s *peer.Status){
		"member":  func(s *peer.Status) { s.Running = false },
		"leader":  func(s *peer.Status) { s.LeaderID = "" },
		"log":     func(s *peer.Status) { s.LogHeld = true },
		"store":   func(s *peer.Status) { s.StoreFailing = true },
		"applier": func(s *peer.Status) { s.Level = false },
		"content": func(s *peer.Status) { s.Divergence = "it differs" },
	} {
		harmed := ready()
		harm(harmed)
		require.Equal(t, []string{name}, failingChecks(harmed))
	}
}
