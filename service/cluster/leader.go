package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"versiond/model"
)

// leading is who leads, and what only the leader can do.
type leading struct {
	*others
	removal *removal
	// ports remembers the public ports of other nodes, which are not in Raft's configuration: id@address -> knownPort.
	ports sync.Map
}

// Transfer makes a voter lead, and returns the leader that came of it.
func (l *leading) Transfer(ctx context.Context, id string) (leader model.Leader, err error) {
	err = l.changeOnLeader(ctx, func(ctx context.Context) error {
		leader, err = l.transfer(ctx, id)
		return err
	}, func(ctx context.Context, address string) error {
		leader, err = l.Peers.Transfer(ctx, address, id)
		return err
	})
	return leader, err
}

func (l *leading) transfer(ctx context.Context, id string) (model.Leader, error) {
	member, known := l.find(id)
	switch {
	case !known:
		return model.Leader{}, fmt.Errorf("%w: %q", model.ErrNoSuchMember, id)
	case !member.Voter:
		return model.Leader{}, model.Invalid("id", "must be a voter; "+id+" has no vote")
	}
	port, err := l.portOf(ctx, id, member.Address) // before anything is changed
	if err != nil {
		return model.Leader{}, fmt.Errorf("%w: %s does not answer: %s", model.ErrNoSuccessor, id, reason(err)) // no %w: nothing was tried
	}
	if id != l.id() {
		err = l.Node.TransferLeadership(ctx, id, member.Address)
	}
	return model.Leader{ID: id, Address: member.Address, Port: port}, err
}

// Leader returns who leads: model.ErrNoLeader when this node knows of nobody.
func (l *leading) Leader(ctx context.Context) (model.Leader, error) {
	id, address := l.Node.Leader()
	if id == "" {
		return model.Leader{}, model.ErrNoLeader
	}
	return l.leaderAt(ctx, id, address)
}

func (l *leading) leaderAt(ctx context.Context, id, address string) (model.Leader, error) {
	port, err := l.portOf(ctx, id, address)
	if err != nil {
		return model.Leader{}, fmt.Errorf("%w: %s led last and does not answer: %v", model.ErrNoLeader, id, err) // %v: no leader is what it comes to
	}
	return model.Leader{ID: id, Address: address, Port: port}, nil
}

// portTTL is how long a node's public port is remembered: a restart may change it.
const portTTL = 30 * time.Second

type knownPort struct {
	port  int
	until time.Time
}

func (l *leading) portOf(ctx context.Context, id, address string) (int, error) {
	if id == l.id() {
		return l.Port, nil
	}
	key := id + "@" + address
	if known, ok := l.ports.Load(key); ok && time.Now().Before(known.(knownPort).until) {
		return known.(knownPort).port, nil
	}
	status, err := l.Peers.Status(ctx, address)
	if err != nil {
		return 0, err
	}
	l.ports.Store(key, knownPort{port: status.Port, until: time.Now().Add(portTTL)})
	return status.Port, nil
}
