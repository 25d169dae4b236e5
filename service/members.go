package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// DeleteFatalPeer removes a member. It refuses, unless forced, when the voters left alive could not
// form a quorum. A leader that is to be removed hands over first. Errors: model.ErrNoSuchMember,
// ErrQuorumAtRisk, ErrNoLeader.
func (s *VersionService) DeleteFatalPeer(ctx context.Context, id string, force bool) error {
	return s.onLeader(ctx, func(ctx context.Context) error {
		return s.remove(ctx, id, force)
	}, func(ctx context.Context, leader string) error {
		return s.peers.Remove(ctx, leader, id, force)
	})
}

func (s *VersionService) remove(ctx context.Context, id string, force bool) error {
	s.membership.Lock()
	defer s.membership.Unlock()
	member, known := s.find(id)
	if !known {
		return fmt.Errorf("%w: %q", model.ErrNoSuchMember, id)
	}
	if member.Voter && !force {
		if err := s.ensureQuorumWithout(ctx, id); err != nil {
			return err
		}
	}
	if id == s.NodeID() {
		return s.leaveFirst(ctx)
	}
	s.log.Info("removing a member", "id", id, "forced", force)
	return s.node.Remove(ctx, id)
}

// leaveFirst hands leadership over and has the caller ask the new leader.
func (s *VersionService) leaveFirst(ctx context.Context) error {
	if voters(s.node.Members()) < 2 {
		return fmt.Errorf("%w: %s is the only voter", model.ErrQuorumAtRisk, s.NodeID())
	}
	if err := s.node.TransferAway(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%w: it has just handed over", model.ErrNotLeader)
}

// ensureQuorumWithout fails when the voters that answer now could not go on without the member.
func (s *VersionService) ensureQuorumWithout(ctx context.Context, id string) error {
	var others []raft.Member
	for _, m := range s.node.Members() {
		if m.Voter && m.ID != id {
			others = append(others, m)
		}
	}
	alive, needed := s.countAlive(ctx, others), len(others)/2+1
	if len(others) == 0 || alive < needed {
		return fmt.Errorf("%w: without %s there are %d voters, %d must be alive and %d are (?force=true removes it all the same)", model.ErrQuorumAtRisk, id, len(others), needed, alive)
	}
	return nil
}

func (s *VersionService) countAlive(ctx context.Context, members []raft.Member) int {
	alive := 0
	for i, status := range s.askAll(ctx, addressesOf(members)) {
		if status != nil && status.Node == members[i].ID && status.Running {
			alive++
		}
	}
	return alive
}

func addressesOf(members []raft.Member) []string {
	addresses := make([]string, len(members))
	for i, m := range members {
		addresses[i] = m.Address
	}
	return addresses
}

func voters(members []raft.Member) int {
	n := 0
	for _, m := range members {
		if m.Voter {
			n++
		}
	}
	return n
}

// TransferLeadership makes a voter lead, and gives the leader that came of it.
func (s *VersionService) TransferLeadership(ctx context.Context, id string) (leader model.Leader, err error) {
	err = s.onLeader(ctx, func(ctx context.Context) error {
		leader, err = s.transfer(ctx, id)
		return err
	}, func(ctx context.Context, address string) error {
		leader, err = s.peers.Transfer(ctx, address, id)
		return err
	})
	return leader, err
}

func (s *VersionService) transfer(ctx context.Context, id string) (model.Leader, error) {
	member, known := s.find(id)
	switch {
	case !known:
		return model.Leader{}, fmt.Errorf("%w: %q", model.ErrNoSuchMember, id)
	case !member.Voter:
		return model.Leader{}, &model.ValidationError{Fields: []model.FieldError{{Field: "id", Detail: "must be a voter; " + id + " has no vote"}}}
	case id != s.NodeID():
		if err := s.node.TransferLeadership(ctx, id, member.Address); err != nil {
			return model.Leader{}, err
		}
	}
	return s.leaderAt(ctx, member.ID, member.Address)
}

// Leader says who leads: model.ErrNoLeader when this node knows of nobody.
func (s *VersionService) Leader(ctx context.Context) (model.Leader, error) {
	id, address := s.node.Leader()
	if id == "" {
		return model.Leader{}, model.ErrNoLeader
	}
	return s.leaderAt(ctx, id, address)
}

func (s *VersionService) leaderAt(ctx context.Context, id, address string) (model.Leader, error) {
	port, err := s.portOf(ctx, id, address)
	if err != nil {
		return model.Leader{}, fmt.Errorf("%w: %s led last and does not answer: %w", model.ErrNoLeader, id, err)
	}
	return model.Leader{ID: id, Address: address, Port: port}, nil
}

// ports remembers the public ports of other nodes, which are not in Raft's configuration.
type ports struct{ known sync.Map } // id@address -> int

func (s *VersionService) portOf(ctx context.Context, id, address string) (int, error) {
	if id == s.NodeID() {
		return s.settings.Port, nil
	}
	key := id + "@" + address
	if port, ok := s.ports.known.Load(key); ok {
		return port.(int), nil
	}
	status, err := s.peers.Status(ctx, address)
	if err != nil {
		return 0, err
	}
	s.ports.known.Store(key, status.Port)
	return status.Port, nil
}

// Status is what this node tells other nodes of itself.
func (s *VersionService) Status(ctx context.Context) peer.Status {
	status := peer.Status{Status: s.node.Status(), Port: s.settings.Port, Release: s.settings.Release}
	if !status.Running {
		var err error
		status.StoreCluster, err = s.holdsCluster(ctx)
		status.StoreSilent = err != nil
	}
	return status
}

// Term says which term this node is in.
func (s *VersionService) Term() peer.Term {
	identity := s.node.Identity()
	return peer.Term{Node: identity.Node, Cluster: identity.Cluster, Term: s.node.Term()}
}

// Peers gives every member and how it does, asked just now.
func (s *VersionService) Peers(ctx context.Context) (model.Peers, error) {
	members := s.node.Members()
	answers := s.askAll(ctx, addressesOf(members))
	commit := s.node.CommitIndex()
	for _, a := range answers {
		if a != nil {
			commit = max(commit, a.Commit)
		}
	}
	peers := model.Peers{Members: make([]model.PeerStatus, len(members))}
	alive := 0
	for i, m := range members {
		peers.Members[i] = describe(m, answers[i], commit)
		if m.Voter && peers.Members[i].Reachable {
			alive++
		}
	}
	peers.FailureTolerance = alive - (voters(members)/2 + 1)
	return peers, nil
}

func describe(m raft.Member, status *peer.Status, commit uint64) model.PeerStatus {
	p := model.PeerStatus{ID: m.ID, Address: m.Address, Suffrage: model.SuffrageNonvoter}
	if m.Voter {
		p.Suffrage = model.SuffrageVoter
	}
	if status == nil || status.Node != m.ID {
		return p
	}
	p.Reachable, p.Port, p.State, p.AppliedIndex = true, status.Port, status.State, status.Applied
	p.Lag = commit - min(commit, status.Applied)
	p.LastContact = time.Now().UTC()
	return p
}

const (
	promoteInterval = 250 * time.Millisecond
	// promoteStable is how long a node that joins later must have kept up before it gets its vote. The
	// listed nodes of a new cluster get it at once.
	promoteStable = 3 * time.Second
	// promoteLagMax is how far behind a node may be, in log entries, and count as caught up.
	promoteLagMax = 250
)

// promoteMembers gives members their vote when they have caught up, while this node leads.
func (s *VersionService) promoteMembers(ctx context.Context) {
	ticker := time.NewTicker(promoteInterval)
	defer ticker.Stop()
	since := map[string]time.Time{} // when a node was first seen caught up
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if !s.node.IsLeader() {
			clear(since)
			continue
		}
		for _, m := range s.node.Members() {
			if !m.Voter {
				s.promoteOnce(ctx, m, since)
			}
		}
	}
}

func (s *VersionService) promoteOnce(ctx context.Context, m raft.Member, since map[string]time.Time) {
	status, err := s.peers.Status(ctx, m.Address)
	if err != nil || !s.hasCaughtUp(m, status) {
		delete(since, m.ID)
		return
	}
	if _, seen := since[m.ID]; !seen {
		since[m.ID] = time.Now()
	}
	if !s.listed(m.ID) && time.Since(since[m.ID]) < promoteStable {
		return
	}
	s.membership.Lock()
	defer s.membership.Unlock()
	if current, known := s.find(m.ID); !known || current != m {
		return
	}
	if err := s.node.AddVoter(ctx, m.ID, m.Address); err != nil {
		s.log.Warn("a member that has caught up could not be given its vote; trying again", "id", m.ID, "err", err)
		return
	}
	s.log.Info("a member has caught up and has a vote now", "id", m.ID)
	delete(since, m.ID)
}

func (s *VersionService) hasCaughtUp(m raft.Member, status peer.Status) bool {
	return status.Node == m.ID && status.Cluster == s.node.Identity().Cluster && status.Running && !status.Replica &&
		status.Serving && status.Applied+promoteLagMax >= s.node.CommitIndex()
}

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
			return errors.Join(model.ErrNodeRemoved)
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
