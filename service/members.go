package service

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// DeleteFatalPeer removes a member. It refuses, unless forced, when the voters left alive could not
// form a quorum. A leader that is to be removed hands over first. Errors: model.ErrNoSuchMember,
// ErrQuorumAtRisk, ErrNoSuccessor, ErrNoLeader and ErrTooManyRequests, after which nothing was changed, and
// ErrOutcomeUnknown.
func (s *VersionService) DeleteFatalPeer(ctx context.Context, id string, force bool) error {
	_, was := s.find(id)
	asked := 0
	err := s.changeOnLeader(ctx, func(ctx context.Context) error {
		asked++
		return s.remove(ctx, id, force)
	}, func(ctx context.Context, leader string) error {
		asked++
		return s.peers.Remove(ctx, leader, id, force)
	})
	if was && asked > 1 && errors.Is(err, model.ErrNoSuchMember) {
		return nil // the leader that was asked first did it, and did not come to say so
	}
	return err
}

// membershipWaitingMax is how many changes of the members may wait for the one that goes on.
const membershipWaitingMax = 100

// enterMembership waits for its turn to change the members. The caller calls membership.Leave.
func (s *VersionService) enterMembership(ctx context.Context) error {
	if err := s.membership.Enter(ctx); err != nil {
		return fmt.Errorf("%w: another change of the members goes on (%v)", model.ErrTooManyRequests, err) // %v: nothing was changed
	}
	return nil
}

func (s *VersionService) remove(ctx context.Context, id string, force bool) error {
	if err := s.enterMembership(ctx); err != nil {
		return err
	}
	defer s.membership.Leave()
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
	if err := s.node.TransferAway(ctx); errors.Is(err, model.ErrOutcomeUnknown) {
		return fmt.Errorf("%w in time, so %s was not removed", model.ErrNoSuccessor, s.NodeID())
	} else if err != nil {
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
	for i, status := range s.askMembers(ctx, members) {
		if status != nil && status.Node == members[i].ID && status.Running {
			alive++
		}
	}
	return alive
}

func (s *VersionService) askMembers(ctx context.Context, members []raft.Member) []*peer.Status {
	return s.askAll(ctx, addressesOf(members))
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
