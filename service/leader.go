package service

import (
	"context"
	"fmt"
	"sync"

	"versiond/model"
)

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
