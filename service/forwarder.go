package service

import (
	"context"
	"errors"
	"sync/atomic"
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
	ctx       context.Context // ends with the node
	peers     PeerClient
	leader    func() (id, address string)
	observer  Observer
	collector *group.Collector[*forwarded]
}

// forwarded is one unit on its way. Of its client, who may give up, and the forwarder, who may
// send it, only one gets it.
type forwarded struct {
	unit     model.Unit
	deadline time.Time
	claimed  atomic.Bool
	done     chan forwardResult
}

type forwardResult struct {
	outcome model.UnitOutcome
	index   uint64
	err     error
}

func (f *forwarded) claim() bool { return f.claimed.CompareAndSwap(false, true) }

func newForwarder(ctx context.Context, peers PeerClient, leader func() (id, address string)) *forwarder {
	f := &forwarder{ctx: ctx, peers: peers, leader: leader, observer: unobserved{}}
	f.collector = group.NewCollector(forwardLimits, f.send)
	return f
}

// forward gives the outcome of a unit as the leader decided it, and the index it reflects.
func (f *forwarder) forward(ctx context.Context, u model.Unit) (model.UnitOutcome, uint64, error) {
	item := &forwarded{unit: u, done: make(chan forwardResult, 1)}
	item.deadline = time.Now().Add(forwardTimeout)
	if deadline, ok := ctx.Deadline(); ok {
		item.deadline = deadline
	}
	if err := f.collector.Add(item, wire.UnitBytes(&u), len(u.Commands)); err != nil {
		return model.UnitOutcome{}, 0, err
	}
	select {
	case r := <-item.done:
		return r.outcome, r.index, r.err
	case <-ctx.Done():
	}
	if item.claim() {
		return model.UnitOutcome{}, 0, errors.Join(model.ErrTimeout, ctx.Err())
	}
	select {
	case r := <-item.done: // it came together with the deadline
		return r.outcome, r.index, r.err
	default:
		return model.UnitOutcome{}, 0, errors.Join(model.ErrOutcomeUnknown, ctx.Err())
	}
}

// send passes one group on, without what its clients gave up meanwhile.
func (f *forwarder) send(items []*forwarded) {
	taken := items[:0]
	var units []model.Unit
	var deadline time.Time
	for _, item := range items {
		if item.claim() {
			taken, units = append(taken, item), append(units, item.unit)
			if item.deadline.After(deadline) {
				deadline = item.deadline
			}
		}
	}
	if len(taken) == 0 {
		return
	}
	f.observer.Forwarded(model.CountCommands(units))
	outcomes, index, err := f.ask(deadline, units)
	for i, item := range taken {
		r := forwardResult{index: index, err: err}
		if err == nil {
			r.outcome = outcomes[i]
		}
		item.done <- r
	}
}

func (f *forwarder) ask(deadline time.Time, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	_, address := f.leader()
	if address == "" {
		return nil, 0, model.ErrNotLeader
	}
	ctx, cancel := context.WithDeadline(f.ctx, deadline)
	defer cancel()
	defer f.whileLeading(address, cancel)()
	return f.peers.Commands(ctx, address, units)
}

// whileLeading calls cancel once another node, or none, leads: a leader that is frozen or cut off
// never answers, and what waits behind its request has a new leader to go to. It ends with stop.
func (f *forwarder) whileLeading(address string, cancel context.CancelFunc) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(leaderWatchInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-done:
				return
			}
			if _, current := f.leader(); current != address {
				cancel()
				return
			}
		}
	}()
	return func() { close(done) }
}

func (f *forwarder) close() { f.collector.Close() }
