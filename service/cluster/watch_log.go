package cluster

import (
	"context"
	"slices"
	"time"

	"versiond/group"
	"versiond/peer"
	"versiond/raft"
)

// logWatchInterval is how often a node whose log is held asks who leads.
const logWatchInterval = 250 * time.Millisecond

// watchLog finds out who leads while writes to this node's Raft log wait for its disk. Hashicorp/raft
// cannot: its main loop is what waits. So clients of this node are served by the leader meanwhile.
func (c *Cluster) watchLog(ctx context.Context) {
	for range group.Every(ctx, logWatchInterval) {
		if c.Node.LogFailure() != nil {
			c.Node.NoteLeader(c.askWhoLeads(ctx))
		}
	}
}

// askWhoLeads returns the member that says that it leads, of several that of the highest term, and one
// without an id when none does.
func (c *Cluster) askWhoLeads(ctx context.Context) (leader raft.Member) {
	others := slices.DeleteFunc(c.Node.Members(), func(m raft.Member) bool { return m.ID == c.id() })
	ctx, cancel := context.WithTimeout(ctx, voterAnswerTimeout)
	defer cancel()
	var highest uint64
	for i, status := range c.AskMembers(ctx, others) {
		if leads(status, others[i].ID) && status.Term > highest {
			leader, highest = others[i], status.Term
		}
	}
	return leader
}

func leads(status *peer.Status, id string) bool {
	return status != nil && status.Node == id && status.State == "leader"
}
