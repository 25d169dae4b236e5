package cluster

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"versiond/group"
	"versiond/raft"
)

const (
	leaderLookInterval = 250 * time.Millisecond
	// leaderMissedAfter is far more than an election takes.
	leaderMissedAfter = 5 * time.Second
)

// watchLeader logs who leads whenever that changes, and at intervals that nobody does. An election is
// no alarm: only one that comes to nothing is.
func (c *Cluster) watchLeader(ctx context.Context) {
	w := leaderWatch{log: c.Log, calm: c.calm, since: time.Now()}
	for range group.Every(ctx, leaderLookInterval) {
		now := time.Now()
		if id, _ := c.Node.Leader(); c.Node.Running() && c.Removed() == nil {
			w.look(now, id)
		} else {
			w.since = now
		}
	}
}

// leaderWatch remembers what was said last of who leads.
type leaderWatch struct {
	log, calm *slog.Logger
	leader    string
	since     time.Time // when a leader was known last
	missed    bool
}

func (w *leaderWatch) look(now time.Time, leader string) {
	missing := now.Sub(w.since)
	if leader == "" {
		if missing >= leaderMissedAfter {
			w.missed = true
			w.calm.Warn("no leader is known: a majority of the voters has to run and to reach one another; requests wait, but for level=none where the node was level with the cluster before", "for", missing.Round(time.Second))
		}
		return
	}
	switch {
	case w.missed:
		w.log.Info("there is a leader again", "leader", leader, "after", missing.Round(time.Millisecond))
	case leader != w.leader:
		w.log.Info("there is a new leader", "leader", leader, "before", w.leader)
	}
	w.leader, w.since, w.missed = leader, now, false
}

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
		if status != nil && status.State == "leader" && status.Term > highest {
			leader, highest = others[i], status.Term
		}
	}
	return leader
}
