package service

import (
	"context"
	"time"

	"versiond/group"
	"versiond/peer"
	"versiond/raft"
)

// logWatchInterval is how often a node whose log is held asks who leads.
const logWatchInterval = 250 * time.Millisecond

// watchLog finds out who leads while writes to this node's Raft log wait for its disk. Hashicorp/raft
// cannot: its main loop is what waits. So clients of this node are served by the leader meanwhile.
func (s *VersionService) watchLog(ctx context.Context) {
	for range group.Every(ctx, logWatchInterval) {
		if s.node.LogFailure() != nil {
			s.node.NoteLeader(s.askWhoLeads(ctx))
		}
	}
}

// askWhoLeads returns the member that says that it leads, of several that of the highest term, and one
// without an id when none does.
func (s *VersionService) askWhoLeads(ctx context.Context) (leader raft.Member) {
	var others []raft.Member
	for _, m := range s.node.Members() {
		if m.ID != s.NodeID() {
			others = append(others, m)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, voterAnswerTimeout)
	defer cancel()
	var highest uint64
	for i, status := range s.askMembers(ctx, others) {
		if leads(status, others[i].ID) && status.Term > highest {
			leader, highest = others[i], status.Term
		}
	}
	return leader
}

func leads(status *peer.Status, id string) bool {
	return status != nil && status.Node == id && status.State == "leader"
}
