package group

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"versiond/model"
)

// Batcher has many callers share one call: what they ask for is gathered by a collector, and each gets its own result.
// A request is either taken by the call or given up by its caller, never both. All methods may be called from any goroutine.
type Batcher[Req, Res any] struct {
	collector *collector[*request[Req, Res]]
	call      Call[Req, Res]
}

// Call serves a group. It takes the group once, when it is about to act, so that callers who gave up before are left
// out, and returns a result for each request, or an error for all of them.
type Call[Req, Res any] func(take func() Batch[Req]) ([]Res, error)

// Batch is what is left of a group when it is taken.
type Batch[Req any] struct {
	Requests []Req
	// Deadline is the latest of the callers', zero when one of them has none.
	Deadline time.Time
}

// request is that of one caller.
type request[Req, Res any] struct {
	is       Req
	deadline time.Time
	claimed  atomic.Bool
	done     chan shared[Res]
}

type shared[Res any] struct {
	is  Res
	err error
}

func (r *request[Req, Res]) claim() bool { return r.claimed.CompareAndSwap(false, true) }

// NewBatcher makes a Batcher whose groups keep to the limits.
func NewBatcher[Req, Res any](limits Limits, call Call[Req, Res]) *Batcher[Req, Res] {
	b := &Batcher[Req, Res]{call: call}
	b.collector = newCollector(limits, b.send)
	return b
}

// Do returns the result of a request that has this size and counts for so many. Errors besides those of the call:
// model.ErrTooManyRequests, model.ErrNotLeader after Close, and model.ErrTimeout when the context ended before the call
// took the request, which then never will be; model.ErrOutcomeUnknown when it ended later.
func (b *Batcher[Req, Res]) Do(ctx context.Context, is Req, size, count int) (res Res, err error) {
	r := &request[Req, Res]{is: is, done: make(chan shared[Res], 1)}
	r.deadline, _ = ctx.Deadline()
	if err := b.collector.Add(r, size, count); err != nil {
		return res, err
	}
	select {
	case a := <-r.done:
		return a.is, a.err
	case <-ctx.Done():
	}
	if r.claim() {
		return res, model.ErrTimeout
	}
	select {
	case a := <-r.done: // it came together with the end
		return a.is, a.err
	default:
		return res, errors.Join(model.ErrOutcomeUnknown, ctx.Err())
	}
}

func (b *Batcher[Req, Res]) send(group []*request[Req, Res]) {
	var taken []*request[Req, Res]
	results, err := b.call(func() (batch Batch[Req]) {
		taken, batch = claim(group)
		return batch
	})
	for i, r := range taken {
		a := shared[Res]{err: err}
		if err == nil {
			a.is = results[i]
		}
		r.done <- a
	}
}

// claim takes what nobody has given up.
func claim[Req, Res any](group []*request[Req, Res]) (taken []*request[Req, Res], batch Batch[Req]) {
	endless := false
	for _, r := range group {
		if !r.claim() {
			continue
		}
		taken, batch.Requests = append(taken, r), append(batch.Requests, r.is)
		if endless = endless || r.deadline.IsZero(); r.deadline.After(batch.Deadline) {
			batch.Deadline = r.deadline
		}
	}
	if endless {
		batch.Deadline = time.Time{}
	}
	return taken, batch
}

// Close refuses further requests, and returns when all that waited were served.
func (b *Batcher[Req, Res]) Close() { b.collector.Close() }
