package service

import (
	"context"

	"versiond/model"
	"versiond/peer"
)

// JoinRaftCluster makes the node that answers at address a member: without a vote at first, which it
// gets when it has caught up, unless voter is false. Its errors are those of cluster.Join.
func (s *VersionService) JoinRaftCluster(ctx context.Context, id, address string, voter bool) (model.Member, error) {
	return s.cluster.Join(ctx, id, address, voter)
}

// DeleteFatalPeer removes a member; without force only when the voters left alive can form a quorum.
func (s *VersionService) DeleteFatalPeer(ctx context.Context, id string, force bool) error {
	return s.cluster.Remove(ctx, id, force)
}

// TransferLeadership makes a voter lead, and returns the leader that came of it.
func (s *VersionService) TransferLeadership(ctx context.Context, id string) (model.Leader, error) {
	return s.cluster.Transfer(ctx, id)
}

// Leader returns who leads: model.ErrNoLeader when this node knows of nobody.
func (s *VersionService) Leader(ctx context.Context) (model.Leader, error) {
	return s.cluster.Leader(ctx)
}

// Admit takes the leader's word that the cluster has this node, and starts Raft.
func (s *VersionService) Admit(ctx context.Context, admission peer.Admission) error {
	return s.cluster.Admit(ctx, admission)
}
