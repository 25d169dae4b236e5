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

// readLimits are those of reads. One that does not fit waits for this node's own applier instead.
var readLimits = group.Limits{
	GroupSizeMax: 128 << 10, GroupCountMax: wire.ReadsMax, InFlightMax: 2,
	WaitingItemsMax: 4 * wire.ReadsMax, WaitingSizeMax: 1 << 20,
}

// forwardTimeout bounds a request for a caller that named no deadline.
const forwardTimeout = 5 * time.Second

// leaderWatchInterval is how soon a request to a leader that leads no more is given up.
const leaderWatchInterval = 50 * time.Millisecond

// forwarder passes what a follower's clients ask for on to the leader, one request for all that wait.
type forwarder[Req, Res any] struct {
	ctx     context.Context // ends with the node
	leader  func() (id, address string)
	ask     func(ctx context.Context, leader string, requests []Req) ([]Res, uint64, error)
	batcher *group.Batcher[Req, forwarded[Res]]
}

// forwarded is a leader's answer and the index that it reflects.
type forwarded[Res any] struct {
	answer Res
	index  uint64
}

func newForwarder[Req, Res any](ctx context.Context, limits group.Limits, leader func() (id, address string),
	ask func(ctx context.Context, leader string, requests []Req) ([]Res, uint64, error),
) *forwarder[Req, Res] {
	f := &forwarder[Req, Res]{ctx: ctx, leader: leader, ask: ask}
	f.batcher = group.NewBatcher(limits, f.forwardGroup)
	return f
}

// forward returns the leader's answer to a request that has this size and counts for so many, and the index that it
// reflects.
func (f *forwarder[Req, Res]) forward(ctx context.Context, is Req, size, count int) (Res, uint64, error) {
	result, err := f.batcher.Do(ctx, is, size, count)
	return result.answer, result.index, err
}

// forwardGroup passes one group on.
func (f *forwarder[Req, Res]) forwardGroup(take func() group.Batch[Req]) ([]forwarded[Res], error) {
	batch := take()
	if len(batch.Requests) == 0 {
		return nil, nil
	}
	answers, index, err := f.askLeader(batch)
	if err != nil {
		return nil, err
	}
	results := make([]forwarded[Res], len(answers))
	for i, answer := range answers {
		results[i] = forwarded[Res]{answer, index}
	}
	return results, nil
}

func (f *forwarder[Req, Res]) askLeader(batch group.Batch[Req]) ([]Res, uint64, error) {
	_, address := f.leader()
	if address == "" {
		return nil, 0, model.ErrNotLeader
	}
	deadline := batch.Deadline
	if deadline.IsZero() {
		deadline = time.Now().Add(forwardTimeout)
	}
	ctx, cancel := context.WithDeadline(f.ctx, deadline)
	defer cancel()
	go f.whileLeading(ctx, address, cancel)
	return f.ask(ctx, address, batch.Requests)
}

// whileLeading calls cancel once another node, or none, leads: a leader that is frozen or cut off
// never answers, and what waits behind its request has a new leader to go to. It ends with the context.
func (f *forwarder[Req, Res]) whileLeading(ctx context.Context, address string, cancel context.CancelFunc) {
	for range group.Every(ctx, leaderWatchInterval) {
		if _, current := f.leader(); current != address {
			cancel()
		}
	}
}

func (f *forwarder[Req, Res]) close() { f.batcher.Close() }
