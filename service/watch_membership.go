package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/raft"
)

// lostLeaderAfter is how long a node hears no leader before it asks whether it is still a member.
const lostLeaderAfter = 10 * time.Second

// membershipInterval is how often that is looked at.
const membershipInterval = time.Second

// watchMembership finds out whether this node was removed while it could not be told.
func (s *VersionService) watchMembership(ctx context.Context) {
	for range group.Every(ctx, membershipInterval) {
		if err := s.checkMembership(ctx); err != nil {
			if s.removal.Swap(&err) == nil {
				s.log.Error("this node serves no more", "err", err)
			}
		} else if s.whyRemoved() != nil && s.node.SinceLeader() < lostLeaderAfter {
			s.removal.Store(nil)
			s.log.Info("this node is a member again")
		}
	}
}

// leftBehind is the model.ErrNodeRemoved of a node whose cluster was recovered from another one's data.
type leftBehind struct{ member, ours, theirs string }

func (e *leftBehind) Error() string {
	return fmt.Sprintf("this node's cluster %s was given up and recovered from %s as cluster %s, which this node joins on an empty data directory: %s", e.ours, e.member, e.theirs, model.RejoinAdvice)
}

func (e *leftBehind) Is(target error) bool { return target == model.ErrNodeRemoved }

// whyRemoved gives the error, a model.ErrNodeRemoved, of a node that is no longer a member.
func (s *VersionService) whyRemoved() error {
	if why := s.removal.Load(); why != nil {
		return *why
	}
	return nil
}

// checkMembership gives model.ErrNodeRemoved when a leader of this cluster does not have this node
// among its members, or when a member is now of a cluster that was recovered from this one.
func (s *VersionService) checkMembership(ctx context.Context) error {
	if !s.node.Running() || s.node.SinceLeader() < lostLeaderAfter {
		if _, member := s.find(s.NodeID()); s.node.Running() && !member && len(s.node.Members()) > 0 {
			return model.ErrNodeRemoved
		}
		return nil
	}
	members := s.node.Members()
	for _, status := range s.askMembers(ctx, members) {
		if status == nil || status.Cluster != s.node.Identity().Cluster || status.State != "leader" {
			continue
		}
		if !hasMember(status.Members, s.NodeID()) {
			return model.ErrNodeRemoved
		}
	}
	return s.checkLeftBehind(ctx, members)
}

// checkLeftBehind asks those who no longer answer as members of this node's cluster.
func (s *VersionService) checkLeftBehind(ctx context.Context, members []raft.Member) error {
	ours := s.node.Identity().Cluster
	for _, m := range members {
		status, err := s.peers.Identify(ctx, m.Address)
		if err == nil && slices.Contains(status.Former, ours) {
			return &leftBehind{member: status.Node, ours: ours, theirs: status.Cluster}
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
