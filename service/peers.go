package service

import (
	"context"
	"time"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
	"versiond/service/cluster"
	"versiond/service/integrity"
)

// Status is what this node tells other nodes of itself.
func (s *VersionService) Status(ctx context.Context) peer.Status {
	status := peer.Status{Status: s.node.Status(), Port: s.settings.Port, Release: s.settings.Release}
	status.Serving, status.Level = s.guard.Serving(), s.level.current.Load()
	if err := s.trust.Err(); err != nil {
		status.Divergence = err.Error()
	}
	if !status.Running {
		var err error
		status.StoreCluster, err = s.mysql.heldCluster(ctx)
		status.StoreSilent = err != nil
	}
	return status
}

// Term returns the term that this node is in.
func (s *VersionService) Term() peer.Term {
	identity := s.node.Identity()
	return peer.Term{Node: identity.Node, Cluster: identity.Cluster, Term: s.node.Term()}
}

// Peers returns every member and how it does, asked just now.
func (s *VersionService) Peers(ctx context.Context) (model.Peers, error) {
	members := s.node.Members()
	answers := s.cluster.AskMembers(ctx, members)
	commit := s.node.CommitIndex()
	for _, a := range answers {
		if a != nil {
			commit = max(commit, a.Commit)
		}
	}
	peers := model.Peers{Members: make([]model.PeerStatus, len(members))}
	alive, compared := 0, integrity.Compare(s.node.Identity().Cluster, members, answers)
	for i, m := range members {
		peers.Members[i] = describe(m, answers[i], commit)
		if peers.Members[i].Divergence == "" {
			peers.Members[i].Divergence = compared.Of(m.ID).Detail
		}
		if m.Voter && peers.Members[i].Reachable {
			alive++
		}
	}
	peers.FailureTolerance = alive - (cluster.Voters(members)/2 + 1)
	return peers, nil
}

func describe(m raft.Member, status *peer.Status, commit uint64) model.PeerStatus {
	p := model.PeerStatus{ID: m.ID, Address: m.Address, Suffrage: model.SuffrageNonvoter}
	if m.Voter {
		p.Suffrage = model.SuffrageVoter
	}
	if status == nil {
		return p
	}
	p.Reachable, p.Port, p.State, p.AppliedIndex = true, status.Port, status.State, status.Applied
	p.Lag = commit - min(commit, status.Applied)
	p.Failing = failingChecks(status)
	p.LastContact, p.Divergence, p.Release = time.Now().UTC(), status.Divergence, status.Release
	if n := len(status.Content); n > 0 {
		p.Checksum, p.ChecksumIndex = status.Content[n-1].Checksum, status.Content[n-1].Index
	}
	return p
}

// failingChecks returns the names of the checks of /readyz that a member's status shows to fail.
func failingChecks(s *peer.Status) (names []string) {
	for _, check := range []struct {
		name string
		bad  bool
	}{
		{"member", !s.Running},
		{"leader", s.LeaderID == ""},
		{"log", s.LogHeld},
		{"store", s.StoreFailing || s.StoreSilent},
		{"applier", !s.Serving || s.Stuck || !s.Level},
		{"content", s.Divergence != ""},
	} {
		if check.bad {
			names = append(names, check.name)
		}
	}
	return names
}

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
