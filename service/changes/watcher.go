package changes

import (
	"context"
	"errors"
	"io"
	"time"

	"versiond/model"
)

// bookmarkInterval is how often a watcher hears that the node is there, and how far it has seen.
const bookmarkInterval = 10 * time.Second

// Errors that are watchers' alone.
var (
	errTooSlow = errors.New("the events were not taken in time; go on from the last revision")
	errEnded   = errors.New("the node ends its streams")
	errNothing = errors.New("there is nothing to do until the watcher is woken")
	errNotKept = model.Explain(model.ErrNotCaughtUp, "no changes are kept yet: that begins once every node of the cluster runs a release that keeps them")
)

// Node is what a watcher asks of its node. Any goroutine may call its methods.
type Node interface {
	// AppliedIndex returns the index up to which all changes were published.
	AppliedIndex() uint64
	// Page returns a page of the records that are applied, and the index that it reflects, which is applied too.
	Page(ctx context.Context, list model.ListOptions) (model.Page, uint64, error)
	// ChangesAfter returns the oldest changes that are kept of a greater revision, in the order of the revisions, and the
	// floor after which all were kept when they were read; model.ErrNotCaughtUp while the store is replaced.
	ChangesAfter(ctx context.Context, revision uint64, limit int) (changes []model.Change, floor uint64, err error)
	// Fit returns why the node should be watched no longer.
	Fit() error
}

// Request is what somebody wants to watch.
type Request struct {
	Filter
	// Since is the revision after which changes are wanted, unless it is from now on, or all records are wanted first.
	Since     uint64
	Now, List bool
	// Wait makes the watcher end with the first events that there are, and at the latest after so long; 0 if it is to go on.
	Wait time.Duration
}

// Watcher is one who follows the changes. One goroutine calls its methods.
type Watcher struct {
	hub    *Hub
	node   Node
	filter Filter
	woken  chan struct{}

	// These are guarded by the hub's mu.
	group *group // nil until it has caught up
	after uint64 // of which it has taken all that it wants, and more while it is idle
	idle  bool   // there is nothing for it
	ended bool
	taken total

	list     *listing // of the records that come first, until it has caught up with them
	poll     bool
	timer    *time.Timer // for the next bookmark, or the end of a poll
	due      bool        // a bookmark is, once it has caught up
	gave     bool        // it is a poll, and has told something
	finished bool
	left     time.Time // when it went away with the last events
}

// Watch returns a watcher, which has to be closed. A *model.RevisionGone says that not all changes since then are known.
func (h *Hub) Watch(node Node, r Request) (*Watcher, error) {
	w := &Watcher{hub: h, node: node, filter: r.Filter, woken: make(chan struct{}, 1), after: r.Since, poll: r.Wait > 0}
	if w.due = !w.poll || r.List; r.List {
		w.list = &listing{node: node, filter: r.Filter}
	}
	if err := h.join(w, r.Now || r.List); err != nil {
		return nil, err
	}
	// From here on the end of a store is the end of the watcher. One that is being built anew is behind what was published.
	if err := node.Fit(); err != nil {
		h.leave(w)
		return nil, err
	}
	interval := bookmarkInterval
	if w.poll {
		interval = r.Wait
	}
	w.timer = time.NewTimer(interval)
	return w, nil
}

// Close lets the hub forget the watcher.
func (w *Watcher) Close() {
	w.timer.Stop()
	w.hub.leave(w)
}

// Next waits for what comes next, of which there is at least one event. After io.EOF nothing comes from this node. Of any
// other error Failure tells the client.
func (w *Watcher) Next(ctx context.Context) ([]Event, error) {
	events, err := w.next(ctx)
	if errors.Is(err, errEnded) {
		events, err = w.finish()
	}
	w.left = time.Now()
	w.hub.told.Add(uint64(len(events)))
	return events, err
}

func (w *Watcher) next(ctx context.Context) ([]Event, error) {
	switch {
	case w.finished:
		return nil, io.EOF
	case w.tooSlow():
		return nil, errTooSlow
	}
	for {
		events, err := w.step(ctx)
		if len(events) > 0 {
			return events, nil
		}
		switch {
		case err == nil:
			events, err = w.tickIfDue()
		case errors.Is(err, errNothing):
			events, err = w.wait(ctx)
		}
		if len(events) > 0 || err != nil {
			return events, err
		}
	}
}

// wait waits until there may be something to do.
func (w *Watcher) wait(ctx context.Context) ([]Event, error) {
	select {
	case <-w.woken:
		return nil, nil
	case <-w.timer.C:
		return w.tick()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *Watcher) tickIfDue() ([]Event, error) {
	select {
	case <-w.timer.C:
		return w.tick()
	default:
		return nil, nil
	}
}

// tick is called when a bookmark is due. There is none before all records were told.
func (w *Watcher) tick() ([]Event, error) {
	if !w.poll {
		w.timer.Reset(bookmarkInterval)
	}
	switch {
	case w.node.Fit() != nil:
		return w.finish()
	case w.list != nil:
		return nil, nil
	case w.poll:
		return w.finish()
	}
	return []Event{bookmark(w.place())}, nil
}

// finish ends the stream with the place to go on from, if there is one.
func (w *Watcher) finish() ([]Event, error) {
	w.finished = true
	if w.list != nil {
		return nil, io.EOF
	}
	return []Event{bookmark(w.place())}, nil
}

// step does what there is to do; neither events nor an error says that there may be more.
func (w *Watcher) step(ctx context.Context) ([]Event, error) {
	switch s := w.state(); {
	case s.err != nil:
		return nil, s.err
	case w.list.unread():
		return w.list.next(ctx)
	case s.idle && w.due: // what comes is newer than the records that were told
		w.list, w.due = nil, false
		if w.poll {
			return w.finish()
		}
		return []Event{bookmark(w.place())}, nil
	case w.gave:
		return w.finish()
	case s.idle:
		return nil, errNothing
	case s.behind:
		return w.gives(w.read(ctx))
	}
	return w.gives(w.take(), nil)
}

// gives notes that a poll, unless it is to have all records first, has something to tell.
func (w *Watcher) gives(events []Event, err error) ([]Event, error) {
	w.gave = w.poll && !w.due && len(events) > 0
	return events, err
}

// Failure returns what a client is told of an error that ends its stream. words has those for errors that others have too.
func Failure(err error, words func(error) (code, detail string)) Event {
	failed := line{Type: "error", Code: "too_slow", Detail: errTooSlow.Error()}
	if !errors.Is(err, errTooSlow) {
		failed.Code, failed.Detail = words(err)
	}
	var gone *model.RevisionGone
	if errors.As(err, &gone) {
		failed.Revision = gone.Oldest
	}
	return Event{JSON: failed.json()}
}
