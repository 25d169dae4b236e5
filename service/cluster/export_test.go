package cluster

import (
	"context"
	"time"
)

// What follows is for tests of a Cluster with a real node, which cannot be in this package: the node's service builds on it.

// NobodyPause is how soon a leader looks again that found nobody better off.
const NobodyPause, HandOverPause = nobodyPause, handOverPause

// FindOnce tries once to bring the node into a cluster.
func (c *Cluster) FindOnce(ctx context.Context) (waitsFor string, err error) { return c.once(ctx) }

// SetFounders has the node believe that it began the cluster with so many.
func (c *Cluster) SetFounders(n int64) { c.founders.Store(n) }

// SetRemoved has the node believe that it was removed.
func (c *Cluster) SetRemoved(why error) { c.why.Store(&why) }

// Unready returns the members that keep the history from beginning.
func (c *Cluster) Unready(ctx context.Context) []string { return c.unready(ctx) }

// TryKeepChanges has the log say that changes are kept, or returns for whom that waits.
func (c *Cluster) TryKeepChanges(ctx context.Context, told string) string {
	return c.tryKeepChanges(ctx, told)
}

// WatchRemoval watches until the context ends.
func (c *Cluster) WatchRemoval(ctx context.Context) { c.removal.watch(ctx) }

// CheckRemoval returns why the node is no member any more.
func (c *Cluster) CheckRemoval(ctx context.Context) error { return c.check(ctx) }

// StuckLeader is a leader whose store is stuck.
type StuckLeader struct {
	cluster *Cluster
	watch   storeWatch
}

// Stuck makes the leader look stuck to its watchdog.
func (c *Cluster) Stuck() *StuckLeader {
	return &StuckLeader{cluster: c, watch: storeWatch{stuckLooks: 2}}
}

// HandOver lets the watchdog do what it does then.
func (s *StuckLeader) HandOver(ctx context.Context) (pause time.Duration) {
	return s.cluster.handOver(ctx, &s.watch)
}

// Told reports whether operators were told.
func (s *StuckLeader) Told() bool { return s.watch.told }

// Recover notes that the store works again.
func (s *StuckLeader) Recover() { s.watch.look(time.Now(), true, false, 0, time.Now()) }
