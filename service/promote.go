package service

import (
	"context"
	"time"

	"versiond/group"
	"versiond/peer"
	"versiond/raft"
)

const (
	promoteInterval = 250 * time.Millisecond
	// promoteStable is how long a node that joins later must have kept up before it gets its vote. The
	// listed nodes of a new cluster get it at once.
	promoteStable = 3 * time.Second
	// promoteLagMax is how far behind a node may be, in log entries, and count as caught up. It has to have been
	// level before: an entry may hold thousands of commands.
	promoteLagMax = 250
)

// promoteMembers gives members their vote when they have caught up, while this node leads.
func (s *VersionService) promoteMembers(ctx context.Context) {
	since := map[string]time.Time{} // when a node was first seen caught up
	for range group.Every(ctx, promoteInterval) {
		if !s.node.IsLeader() {
			clear(since)
			continue
		}
		for _, m := range s.node.Members() {
			if !m.Voter {
				s.promoteOnce(ctx, m, since)
			}
		}
	}
}

func (s *VersionService) promoteOnce(ctx context.Context, m raft.Member, since map[string]time.Time) {
	status, err := s.peers.Status(ctx, m.Address)
	if err != nil || !s.hasCaughtUp(m, status) {
		delete(since, m.ID)
		return
	}
	if _, seen := since[m.ID]; !seen {
		since[m.ID] = time.Now()
	}
	if !s.listed(m.ID) && time.Since(since[m.ID]) < promoteStable {
		return
	}
	if s.enterMembership(ctx) != nil {
		return // in vain, or this node stops
	}
	defer s.membership.Leave()
	if current, known := s.find(m.ID); !known || current != m {
		return
	}
	if err := s.node.AddVoter(ctx, m.ID, m.Address); err != nil {
		if s.node.IsLeader() && ctx.Err() == nil { // otherwise the next leader does it
			s.calm.Warn("a member that has caught up could not be given its vote; trying again", "id", m.ID, "err", err)
		}
		return
	}
	s.log.Info("a member has caught up and has a vote now", "id", m.ID)
	delete(since, m.ID)
}

func (s *VersionService) hasCaughtUp(m raft.Member, status peer.Status) bool {
	return status.Node == m.ID && status.Cluster == s.node.Identity().Cluster && status.Running && !status.Replica &&
		status.Serving && status.Level && status.Applied+promoteLagMax >= s.node.CommitIndex()
}
