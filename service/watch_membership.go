package service

import (
	"context"
	"time"

	"versiond/model"
	"versiond/raft"
)

// lostLeaderAfter is how long a node hears no leader before it asks whether it is still a member.
const lostLeaderAfter = 10 * time.Second

// watchMembership finds out whether this node was removed while it could not be told.
func (s *VersionService) watchMembership(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		if err := s.checkMembership(ctx); err != nil && !s.removed.Swap(true) {
			s.log.Error("this node serves no more", "err", err)
		} else if err == nil && s.removed.Load() && s.node.SinceLeader() < lostLeaderAfter {
			s.removed.Store(false)
			s.log.Info("this node is a member again")
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// checkMembership gives model.ErrNodeRemoved when a leader of this cluster does not have this node
// among its members.
func (s *VersionService) checkMembership(ctx context.Context) error {
	if !s.node.Running() || s.node.SinceLeader() < lostLeaderAfter {
		if _, member := s.find(s.NodeID()); s.node.Running() && !member && len(s.node.Members()) > 0 {
			return model.ErrNodeRemoved
		}
		return nil
	}
	members := s.node.Members()
	for _, status := range s.askAll(ctx, addressesOf(members)) {
		if status == nil || status.Cluster != s.node.Identity().Cluster || status.State != "leader" {
			continue
		}
		if !hasMember(status.Members, s.NodeID()) {
			return model.ErrNodeRemoved
		}
	}
	return nil
}

func hasMember(members []raft.Member, id string) bool {
	for _, m := range members {
		if m.ID == id {
			return true
		}
	}
	return false
}
