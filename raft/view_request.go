package raft

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"versiond/model"
)

// viewWaitMax is how long a snapshot waits for the applier to reach its index. Past that the
// snapshot fails cleanly and hashicorp/raft tries again later (docs/design.md, "Snapshots").
const viewWaitMax = 10 * time.Second

var (
	errViewLate = errors.New("the applier did not reach the snapshot's index in time")
	errClosing  = fmt.Errorf("%w: it is stopping", model.ErrNotCaughtUp)
)

// viewRequest asks the applier for a view of the records exactly as they are at index; one of
// queue.views asks for whatever is applied, and at says where that was.
type viewRequest struct {
	index uint64
	at    model.Position
	done  chan struct{}

	once  sync.Once
	view  View
	err   error
	taken atomic.Bool // the view has somebody who closes it
}

func newViewRequest(index uint64) *viewRequest {
	return &viewRequest{index: index, done: make(chan struct{})}
}

// settle hands the request its view or its error; the first of two calls wins, and a view that comes
// too late is closed.
func (r *viewRequest) settle(view View, err error) {
	won := false
	r.once.Do(func() {
		r.view, r.err, won = view, err, true
		close(r.done)
	})
	if !won && view != nil {
		_ = view.Close() // a read-only view holds nothing that a failed close could lose
	}
}

// wait returns the view, which its receiver closes, to the first who waits.
func (r *viewRequest) wait(ctx context.Context) (View, error) {
	ctx, cancel := context.WithTimeout(ctx, viewWaitMax)
	defer cancel()
	select {
	case <-r.done:
	case <-ctx.Done():
		r.settle(nil, errors.Join(errViewLate, model.ErrNotCaughtUp))
		<-r.done
	}
	if r.err == nil && !r.taken.CompareAndSwap(false, true) {
		return nil, errViewLate
	}
	return r.view, r.err
}

// drop closes a view that nobody has waited for, or has it closed should it be opened later: until it is
// closed, the store keeps what every later transaction replaces.
func (r *viewRequest) drop() {
	r.settle(nil, errViewLate)
	if r.err == nil && r.taken.CompareAndSwap(false, true) {
		_ = r.view.Close()
	}
}

// requestView asks for a view at the last index that the FSM was handed.
func (q *queue) requestView() *viewRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cancelView(errViewLate)
	q.view = newViewRequest(q.handed)
	request := q.view
	if q.closing {
		q.cancelView(errViewLate)
	}
	q.wake.Set()
	q.urgent.Set()
	return request
}

func (q *queue) cancelView(err error) {
	if q.view != nil {
		q.view.settle(nil, err)
		q.view = nil
	}
}

// requestAnyView asks for a view between two transactions, whichever come next.
func (q *queue) requestAnyView() *viewRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	request := newViewRequest(0)
	if q.closing {
		request.settle(nil, errClosing)
		return request
	}
	q.views = append(slices.DeleteFunc(q.views, (*viewRequest).settled), request) // a store that is held up keeps none of who has left
	q.wake.Set()
	q.urgent.Set()
	return request
}

// takeView returns the next request for a view of what is applied now, nil when nobody waits for one.
func (q *queue) takeView() *viewRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.views) > 0 {
		next := q.views[0]
		if q.views = q.views[1:]; !next.settled() {
			return next
		}
	}
	return nil
}

func (r *viewRequest) settled() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// OpenView opens a consistent view of all records as this node has applied them, and says up to where.
// It waits for the applier, ten seconds at most: model.ErrNotCaughtUp. The caller closes the view.
func (n *Node) OpenView(ctx context.Context) (View, model.Position, error) {
	if !n.Running() {
		return nil, model.Position{}, model.ErrNotCaughtUp
	}
	request := n.fsm.queue.requestAnyView()
	view, err := request.wait(ctx)
	if err != nil {
		return nil, model.Position{}, err
	}
	return view, request.at, nil
}

// dueView takes the waiting request once the applier is at its index.
func (q *queue) dueView(applied uint64) *viewRequest {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.view == nil || q.view.index > applied {
		return nil
	}
	due := q.view
	q.view = nil
	return due
}

// mayPass reports whether the entry at index may be applied before the waiting view is opened; a request
// that has settled meanwhile no longer holds the applier back. The caller holds the lock.
func (q *queue) mayPass(index uint64) bool {
	if q.view == nil {
		return true
	}
	if q.view.settled() {
		q.view = nil
		return true
	}
	return index <= q.view.index
}
