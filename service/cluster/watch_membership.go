package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/raft"
)

// lostLeaderAfter is how long a node hears no leader before it asks whether it is still a member.
const lostLeaderAfter = 10 * time.Second

// membershipInterval is how often that is looked at.
const membershipInterval = time.Second

// removal is whether this node is still a member.
type removal struct {
	*others
	// why is why this node serves no more, nil while it is a member.
	why atomic.Pointer[error]
}

// watch finds out whether this node was removed while it could not be told.
func (r *removal) watch(ctx context.Context) {
	for range group.Every(ctx, membershipInterval) {
		if err := r.check(ctx); err != nil {
			if r.why.Swap(&err) == nil {
				r.Log.Error("this node serves no more", "err", err)
			}
		} else if r.Removed() != nil && r.Node.SinceLeader() < lostLeaderAfter {
			r.why.Store(nil)
			r.Log.Info("this node is a member again")
		}
	}
}

// leftBehind is the model.ErrNodeRemoved of a node whose cluster was recovered from another one's data.
type leftBehind struct{ member, ours, theirs string }

func (e *leftBehind) Error() string {
	return fmt.Sprintf("this node's cluster %s was given up and recovered from %s as cluster %s, which this node joins on an empty data directory: %s", e.ours, e.member, e.theirs, model.RejoinAdvice)
}

func (e *leftBehind) Is(target error) bool { return target == model.ErrNodeRemoved }

// Removed returns the error, a model.ErrNodeRemoved, of a node that is no longer a member.
func (r *removal) Removed() error {
	if why := r.why.Load(); why != nil {
		return *why
	}
	return nil
}

// check returns model.ErrNodeRemoved when a leader of this cluster does not have this node
// among its members, or when a member is now of a cluster that was recovered from this one.
func (r *removal) check(ctx context.Context) error {
	if !r.Node.Running() || r.Node.SinceLeader() < lostLeaderAfter {
		if _, member := r.find(r.id()); r.Node.Running() && !member && len(r.Node.Members()) > 0 {
			return model.ErrNodeRemoved
		}
		return nil
	}
	addresses := addressesOf(r.Node.Members())
	if len(addresses) == 0 { // it was never sent who they are
		addresses = r.othersAddresses()
	}
	for _, status := range r.askAll(ctx, addresses) {
		if status == nil || status.Cluster != r.Node.Identity().Cluster || status.State != "leader" {
			continue
		}
		if !slices.ContainsFunc(status.Members, func(m raft.Member) bool { return m.ID == r.id() }) {
			return model.ErrNodeRemoved
		}
	}
	return r.checkLeftBehind(ctx, addresses)
}

// checkLeftBehind asks those who no longer answer as members of this node's cluster.
func (r *removal) checkLeftBehind(ctx context.Context, addresses []string) error {
	ours := r.Node.Identity().Cluster
	for _, address := range addresses {
		status, err := r.Peers.Identify(ctx, address)
		if err == nil && slices.Contains(status.Former, ours) {
			return &leftBehind{member: status.Node, ours: ours, theirs: status.Cluster}
		}
	}
	return nil
}
