package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"versiond/model"
	"versiond/raft"
	"versiond/service/cluster"
	"versiond/wire"
)

// writer has units decided by whoever leads.
type writer struct {
	node      *raft.Node
	cluster   *cluster.Cluster
	observer  Observer
	forwarder *forwarder[model.Unit, model.UnitOutcome]
}

// newWriter makes a writer whose forwarder ends with ctx.
func newWriter(ctx context.Context, node *raft.Node, cluster *cluster.Cluster, peers PeerClient, observer Observer) *writer {
	passOn := func(ctx context.Context, leader string, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
		observer.Forwarded(model.CountCommands(units))
		if !node.KeepsChanges() { // the leader may be of a release that knows no origins
			units = slices.Clone(units)
			model.StripOrigins(units)
		}
		return peers.Commands(ctx, leader, units)
	}
	return &writer{node: node, cluster: cluster, observer: observer, forwarder: newForwarder(ctx, forwardLimits, node.Leader, passOn)}
}

// single returns the unit of one command.
func single(c model.Command, opts model.WriteOptions) model.Unit {
	unit := model.Single(c)
	if opts.Key != "" {
		unit.Idempotency = wire.NewIdempotency(opts.Key, &unit, false)
	}
	unit.Origin = opts.Origin
	return unit
}

// write has a unit of one command decided, and turns its outcome into an answer.
func (w *writer) write(ctx context.Context, unit model.Unit) (result model.Result, err error) {
	c := unit.Commands[0]
	if err := model.ValidateCommand(c); err != nil {
		return result, err
	}
	began := time.Now()
	decided, err := w.submit(ctx, unit)
	if err == nil {
		outcome := decided.Outcomes[0]
		result, err = model.Result{Record: c.Record(outcome.Details, outcome.Revision), Index: decided.Index, Replayed: decided.Replayed}, outcome.Err()
	}
	w.observer.Written(c.Type, err, time.Since(began))
	return result, err
}

// submit has a unit decided by whoever leads, which may be this node.
func (w *writer) submit(ctx context.Context, u model.Unit) (result model.UnitResult, err error) {
	err = w.cluster.WithLeader(ctx, func(ctx context.Context) (err error) {
		switch {
		case w.node.IsLeader():
			var outcomes []model.UnitOutcome
			if outcomes, result.Index, err = w.propose(ctx, []model.Unit{u}); err == nil {
				result.UnitOutcome = outcomes[0]
			}
		case !w.led():
			err = w.cluster.NobodyLeads()
		default:
			result.UnitOutcome, result.Index, err = w.forwarder.forward(ctx, u, wire.UnitBytes(&u), len(u.Commands))
		}
		return err
	})
	if err != nil {
		return model.UnitResult{}, nothingProposed(err, w.led())
	}
	return result, nil
}

// led reports whether this node knows of a leader.
func (w *writer) led() bool {
	id, _ := w.node.Leader()
	return id != ""
}

// propose has units decided by this node, which leads.
func (w *writer) propose(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	if err := w.cluster.Removed(); err != nil {
		return nil, 0, err
	}
	if w.node.IsLeader() && w.node.AppliedIndex()+cluster.FarBehind < w.node.CommitIndex() {
		return nil, 0, model.ErrTooManyRequests // a new leader with a long backlog
	}
	outcomes, err := w.node.Propose(ctx, units)
	if err != nil {
		return nil, 0, err
	}
	return outcomes, w.node.AppliedIndex(), nil
}

// nothingProposed maps a timeout before the proposal to model.ErrNoLeader, or to model.ErrTooManyRequests where
// somebody led and others were in front: nothing was changed.
func nothingProposed(err error, led bool) error {
	if !errors.Is(err, model.ErrTimeout) || errors.Is(err, model.ErrOutcomeUnknown) {
		return err
	}
	why := model.ErrNoLeader
	if led {
		why = model.ErrTooManyRequests
	}
	return fmt.Errorf("%w (%v)", why, err) // %v: the cause must not pass for an open outcome
}
