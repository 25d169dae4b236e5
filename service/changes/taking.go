package changes

import (
	"context"
	"errors"
	"time"

	"versiond/model"
)

const (
	// A watcher that comes back after slowAfter, and for which there are more events by then, has not taken them.
	waitingEventsMax = 1000
	waitingBytesMax  = 1 << 20
	slowAfter        = time.Second
	// What is read of the log, looked at in the ring, and given out at once.
	pageEvents  = 256
	scannedMax  = 1024
	batchEvents = 256
	batchBytes  = 64 << 10
)

// state is how a watcher stands to its hub.
type state struct {
	err          error
	idle, behind bool
}

func (w *Watcher) state() state {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.ended {
		return state{err: errEnded}
	}
	return state{idle: w.idle, behind: w.after < h.ring.before}
}

// tooSlow reports whether a watcher that had caught up comes back to more than it should have left lying. One that goes on
// taking may be behind: all of a batch comes at once. For how long it waits here for the first of them says nothing.
func (w *Watcher) tooSlow() bool {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.group == nil || w.idle || w.ended || time.Since(w.left) < slowAfter {
		return false
	}
	waiting := w.group.matched.minus(w.taken)
	slow := waiting.events > waitingEventsMax || waiting.bytes > waitingBytesMax
	if slow {
		h.counted.TooSlow++
	}
	return slow
}

// take takes events from the ring.
func (w *Watcher) take() (events []Event) {
	for _, each := range w.scan() {
		events = append(events, each.event(each.stays))
	}
	return events
}

// wanted is a change that a watcher wants.
type wanted struct {
	*change
	stays bool
}

// scan finds what the watcher wants of the ring, until it has seen enough or all; then it is idle.
func (w *Watcher) scan() (found []wanted) {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.ended || w.after < h.ring.before {
		return nil // since it was looked at
	}
	bytes := 0
	for i, each := range h.ring.after(w.after) {
		if i == scannedMax || len(found) == batchEvents || bytes > batchBytes {
			return found
		}
		w.after = each.Revision
		if stays, yes := w.want(each); yes {
			found = append(found, wanted{each, stays})
			bytes += each.size
		}
	}
	if w.idle = true; w.group == nil {
		h.follow(w)
	}
	return found
}

// want reports whether a change is to be told, and as what. It counts what the filter wants as taken.
func (w *Watcher) want(c *change) (stays, yes bool) {
	yes, stays = w.filter.wants(&c.Change)
	if yes && w.group != nil {
		w.taken.add(c.size)
	}
	return stays, yes && !w.list.reflects(&c.Change)
}

// read takes events from the kept log, up to what was published.
func (w *Watcher) read(ctx context.Context) (events []Event, err error) {
	newest, after := w.gap()
	page, floor, err := w.node.ChangesAfter(ctx, after, pageEvents)
	switch {
	case errors.Is(err, model.ErrNotCaughtUp):
		return nil, errEnded
	case err != nil:
		return nil, err
	case after < floor:
		return nil, &model.RevisionGone{Oldest: floor}
	case len(page) == pageEvents:
		newest = min(newest, page[len(page)-1].Revision)
	}
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	for _, each := range logged(page) {
		if each.Revision > newest {
			break
		}
		if stays, yes := w.want(each); yes {
			events = append(events, each.event(stays))
		}
	}
	w.after = max(after, newest)
	return events, nil
}

// gap returns up to where there are changes, and after which revision the watcher has not taken them.
func (w *Watcher) gap() (newest, after uint64) {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return w.hub.ring.newest, w.after
}

// place returns the revision to go on from.
func (w *Watcher) place() uint64 {
	applied := w.node.AppliedIndex() // before the look at the hub, which has all of it
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.idle && !w.group.due {
		return max(w.seen(), model.Revision(applied, 0))
	}
	return w.seen()
}

// seen returns the revision up to which there is nothing left for the watcher. One that is idle may be about to be woken.
func (w *Watcher) seen() uint64 {
	switch {
	case !w.idle:
		return w.after
	case w.group.due:
		return max(w.after, w.group.first-1)
	}
	return max(w.after, w.hub.ring.newest)
}

func (w *Watcher) signal() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}
