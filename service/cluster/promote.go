package cluster

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

// promote makes members voters when they have caught up, while this node leads.
func (c *changes) promote(ctx context.Context) {
	since := map[string]time.Time{} // when a node was first seen caught up
	for range group.Every(ctx, promoteInterval) {
		if !c.Node.IsLeader() {
			clear(since)
			continue
		}
		for _, m := range c.Node.Members() {
			if !m.Voter {
				c.promoteOnce(ctx, m, since)
			}
		}
	}
}

func (c *changes) promoteOnce(ctx context.Context, m raft.Member, since map[string]time.Time) {
	status, err := c.Peers.Status(ctx, m.Address)
	if err != nil || !hasCaughtUp(m, status, c.Node.Identity().Cluster, c.Node.CommitIndex()) {
		delete(since, m.ID)
		return
	}
	if _, seen := since[m.ID]; !seen {
		since[m.ID] = time.Now()
	}
	if _, listed := c.listed(m.ID); !listed && time.Since(since[m.ID]) < promoteStable {
		return
	}
	if c.enter(ctx) != nil {
		return // in vain, or this node stops
	}
	defer c.turn.Leave()
	if current, known := c.find(m.ID); !known || current != m {
		return
	}
	if err := c.Node.AddVoter(ctx, m.ID, m.Address); err != nil {
		if c.Node.IsLeader() && ctx.Err() == nil { // otherwise the next leader does it
			c.calm.Warn("a member that has caught up could not be given its vote; trying again", "id", m.ID, "err", err)
		}
		return
	}
	c.Log.Info("a member has caught up and has a vote now", "id", m.ID)
	delete(since, m.ID)
}

func hasCaughtUp(m raft.Member, status peer.Status, cluster string, commit uint64) bool {
	return status.Node == m.ID && status.Cluster == cluster && status.Running && !status.Replica &&
		status.Serving && status.Level && status.Applied+promoteLagMax >= commit
}
