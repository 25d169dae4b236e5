package service

import (
	"context"
	"fmt"
	"sync"
	"time"

	"versiond/model"
)

// TransferLeadership makes a voter lead, and gives the leader that came of it.
func (s *VersionService) TransferLeadership(ctx context.Context, id string) (leader model.Leader, err error) {
	err = s.changeOnLeader(ctx, func(ctx context.Context) error {
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
	}
	port, err := s.portOf(ctx, id, member.Address) // before anything is changed
	if err != nil {
		return model.Leader{}, fmt.Errorf("%w: %s does not answer: %s", model.ErrNoSuccessor, id, reason(err)) // no %w: nothing was tried
	}
	if id != s.NodeID() {
		err = s.node.TransferLeadership(ctx, id, member.Address)
	}
	return model.Leader{ID: id, Address: member.Address, Port: port}, err
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
		return model.Leader{}, fmt.Errorf("%w: %s led last and does not answer: %v", model.ErrNoLeader, id, err) // %v: no leader is what it comes to
	}
	return model.Leader{ID: id, Address: address, Port: port}, nil
}

// portTTL is how long a node's public port is remembered: a restart may change it.
const portTTL = 30 * time.Second

// ports remembers the public ports of other nodes, which are not in Raft's configuration.
type ports struct{ known sync.Map } // id@address -> knownPort

type knownPort struct {
	port  int
	until time.Time
}

func (s *VersionService) portOf(ctx context.Context, id, address string) (int, error) {
	if id == s.NodeID() {
		return s.settings.Port, nil
	}
	key := id + "@" + address
	if known, ok := s.ports.known.Load(key); ok && time.Now().Before(known.(knownPort).until) {
		return known.(knownPort).port, nil
	}
	status, err := s.peers.Status(ctx, address)
	if err != nil {
		return 0, err
	}
	s.ports.known.Store(key, knownPort{port: status.Port, until: time.Now().Add(portTTL)})
	return status.Port, nil
}
