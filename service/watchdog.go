package service

import (
	"context"
	"time"

	"versiond/raft"
)

const (
	watchdogInterval = 250 * time.Millisecond
	// handOverPause is how long a stuck leader leaves between two attempts to hand over: each one
	// refuses writes for a moment, and leadership that wanders helps nobody.
	handOverPause = 10 * time.Second
)

// watchStore hands leadership over when this node leads and its store holds up the applier, to a
// voter that is better off. Where no voter is, as when all share one database server that is down,
// it stays leader, refuses writes and goes on by itself once the store is back. Hashicorp/raft would
// do neither: it goes on sending heartbeats (design section 4, rule 4).
func (s *VersionService) watchStore(ctx context.Context) {
	ticker := time.NewTicker(watchdogInterval)
	defer ticker.Stop()
	var attempted time.Time
	wasStuck := false
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		// Twice in a row: a process that was frozen finds everything late when it wakes.
		stuck := s.node.IsLeader() && s.node.Stuck()
		if stuck, wasStuck = stuck && wasStuck, stuck; !stuck || time.Since(attempted) < handOverPause {
			continue
		}
		attempted = time.Now()
		s.handOverFromStore(ctx)
	}
}

func (s *VersionService) handOverFromStore(ctx context.Context) {
	target, found := s.healthyVoter(ctx)
	if !found {
		s.log.Error("the store holds up this leader and no other voter is better off; writes are refused until the store is back", "err", s.node.StoreFailure())
		return
	}
	s.log.Warn("the store holds up this leader; handing over", "to", target.ID, "err", s.node.StoreFailure())
	if err := s.node.TransferLeadership(ctx, target.ID, target.Address); err != nil {
		s.log.Warn("handing over failed; trying again", "after", handOverPause, "err", err)
	}
}

// healthyVoter finds the voter with the longest log among those that are reachable and not stuck.
func (s *VersionService) healthyVoter(ctx context.Context) (best raft.Member, found bool) {
	var others []raft.Member
	for _, m := range s.node.Members() {
		if m.Voter && m.ID != s.NodeID() {
			others = append(others, m)
		}
	}
	var longest uint64
	for i, status := range s.askAll(ctx, addressesOf(others)) {
		if status == nil || status.Node != others[i].ID || status.Stuck || !status.Serving {
			continue
		}
		if !found || status.LastIndex > longest {
			best, longest, found = others[i], status.LastIndex, true
		}
	}
	return best, found
}
