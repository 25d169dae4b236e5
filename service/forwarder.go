package service

import (
	"context"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/wire"
)

// forwardLimits: up to two requests on their way keep the leader busy while the next group gathers. What waits
// is less than what the leader does in half a second: a longer queue would only make clients wait in vain.
var forwardLimits = group.Limits{
	GroupSizeMax: 256 << 10, GroupCountMax: model.CommandsPerEntryMax, InFlightMax: 2,
	WaitingItemsMax: 1000, WaitingSizeMax: 16 << 20,
}

// forwardTimeout bounds a request for a caller that named no deadline.
const forwardTimeout = 5 * time.Second

// leaderWatchInterval is how soon a request to a leader that leads no more is given up.
const leaderWatchInterval = 50 * time.Millisecond

// forwarder passes the writes of a follower's clients to the leader, one request for all that wait.
type forwarder struct {
	ctx      context.Context // ends with the node
	peers    PeerClient
	leader   func() (id, address string)
	observer Observer
	batcher  *group.Batcher[model.Unit, forwarded]
}

// forwarded is the outcome of a unit as the leader decided it, and the index it reflects.
type forwarded struct {
	outcome model.UnitOutcome
	index   uint64
}

func newForwarder(ctx context.Context, peers PeerClient, leader func() (id, address string)) *forwarder {
	f := &forwarder{ctx: ctx, peers: peers, leader: leader, observer: unobserved{}}
	f.batcher = group.NewBatcher(forwardLimits, f.forwardGroup)
	return f
}

// forward returns the outcome of a unit as the leader decided it, and the index it reflects.
func (f *forwarder) forward(ctx context.Context, u model.Unit) (model.UnitOutcome, uint64, error) {
	result, err := f.batcher.Do(ctx, u, wire.UnitBytes(&u), len(u.Commands))
	return result.outcome, result.index, err
}

// forwardGroup passes one group on.
func (f *forwarder) forwardGroup(take func() group.Batch[model.Unit]) ([]forwarded, error) {
	units := take()
	if len(units.Requests) == 0 {
		return nil, nil
	}
	f.observer.Forwarded(model.CountCommands(units.Requests))
	outcomes, index, err := f.ask(units)
	if err != nil {
		return nil, err
	}
	results := make([]forwarded, len(outcomes))
	for i, outcome := range outcomes {
		results[i] = forwarded{outcome, index}
	}
	return results, nil
}

func (f *forwarder) ask(units group.Batch[model.Unit]) ([]model.UnitOutcome, uint64, error) {
	_, address := f.leader()
	if address == "" {
		return nil, 0, model.ErrNotLeader
	}
	deadline := units.Deadline
	if deadline.IsZero() {
		deadline = time.Now().Add(forwardTimeout)
	}
	ctx, cancel := context.WithDeadline(f.ctx, deadline)
	defer cancel()
	go f.whileLeading(ctx, address, cancel)
	return f.peers.Commands(ctx, address, units.Requests)
}

// whileLeading calls cancel once another node, or none, leads: a leader that is frozen or cut off
// never answers, and what waits behind its request has a new leader to go to. It ends with the context.
func (f *forwarder) whileLeading(ctx context.Context, address string, cancel context.CancelFunc) {
	for range group.Every(ctx, leaderWatchInterval) {
		if _, current := f.leader(); current != address {
			cancel()
		}
	}
}

func (f *forwarder) close() { f.batcher.Close() }
