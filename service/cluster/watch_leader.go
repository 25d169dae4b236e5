package cluster

import (
	"context"
	"log/slog"
	"time"

	"versiond/group"
)

const (
	leaderLookInterval = 250 * time.Millisecond
	// leaderMissedAfter is far more than an election takes.
	leaderMissedAfter = 5 * time.Second
)

// watchLeader says in the log who leads whenever that changes, and at intervals that nobody does. An
// election is no alarm: only one that comes to nothing is.
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
