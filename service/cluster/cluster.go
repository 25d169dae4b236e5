// Package cluster is a node's place among the others: how it finds its cluster, who is a member, who leads, and what this
// node does about it.
package cluster

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"versiond/group"
	"versiond/logs"
	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// PeerClient asks other nodes. Errors match the sentinels of package model.
type PeerClient interface {
	Status(ctx context.Context, address string) (peer.Status, error)
	Identify(ctx context.Context, address string) (peer.Status, error)
	Join(ctx context.Context, address, id, nodeAddress string, voter bool) (model.Member, error)
	Remove(ctx context.Context, address, id string, force bool) error
	Transfer(ctx context.Context, address, id string) (model.Leader, error)
	Admit(ctx context.Context, address string, admission peer.Admission) error
}

// Listed is one node of the configuration.
type Listed struct {
	ID      string
	Address string
	Port    int
}

// Parts are what a Cluster is made of. All must be set but Listed and Join.
type Parts struct {
	Node  *raft.Node
	Peers PeerClient
	Log   *slog.Logger
	// Listed are the nodes of the configuration in their order; the first one may begin a cluster.
	Listed []Listed
	// Join are peer addresses of members to ask, for a node that is not listed.
	Join []string
	// Port is this node's public HTTP port.
	Port int
	// Self is what this node tells other nodes of itself.
	Self func(context.Context) peer.Status
	// HeldCluster returns the cluster that this node's store belongs to, "" when it belongs to none.
	HeldCluster func(context.Context) (string, error)
	// Stopped is closed when the node stops.
	Stopped <-chan struct{}
}

// Cluster is what a node knows of the others, and does with them. Any goroutine may call its methods.
type Cluster struct {
	*others
	*finder
	*changes
	*removal
	*watchdog
}

// New returns a Cluster, which does nothing by itself until Run.
func New(p Parts) *Cluster {
	o := &others{Parts: p, calm: logs.Calm(p.Log)}
	r := &removal{others: o}
	return &Cluster{
		others: o, removal: r, finder: &finder{others: o, last: map[string]peer.Status{}}, watchdog: &watchdog{others: o},
		changes: &changes{leading: &leading{others: o, removal: r}, turn: group.NewGate(1, changesWaitingMax)},
	}
}

// Run finds the node its cluster, and looks after the members and who leads, until the context ends or the node cannot
// go on; the error then says why.
func (c *Cluster) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return c.findCluster(ctx) })
	for _, watch := range []func(context.Context){c.promote, c.keepChanges, c.removal.watch, c.watchdog.watch, c.watchLeader, c.watchLog} {
		tasks.Go(func() error { watch(ctx); return nil })
	}
	return tasks.Wait()
}

// HandOver transfers leadership to another voter if this node leads, so that a stop goes unnoticed.
func (c *Cluster) HandOver(ctx context.Context) {
	if !c.Node.IsLeader() || len(c.Node.Members()) < 2 {
		return
	}
	if err := c.Node.TransferAway(ctx); err != nil {
		c.Log.Info("the lead could not be handed over, as when the others stop too; those that go on elect a leader in about two seconds", "err", err)
	}
}
