package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The values of Event.Type.
const (
	// EventPut has a record as it became.
	EventPut = "put"
	// EventDelete names a record that was deleted, or is no longer of those that are watched.
	EventDelete = "delete"
	// EventBookmark means that nothing was missed up to its revision. One comes at the latest every ten seconds.
	EventBookmark = "bookmark"
)

// Event is what a Watch yields.
type Event struct {
	// Type is EventPut, EventDelete or EventBookmark.
	Type string `json:"type"`
	// Revision is where After goes on from; but for the records that Everything yields before its first bookmark.
	Revision uint64 `json:"revision"`
	// Record is the one that an EventPut is about.
	Record *Record `json:"record,omitempty"`
	// ID is the one that an EventDelete is about.
	ID string `json:"id,omitempty"`
}

// Start is from where on a Watch has changes.
type Start struct {
	since string
	place uint64
}

// Everything begins with all records that there are, a bookmark, and then what changes: nothing is missed in between.
func Everything() Start { return Start{since: "0"} }

// Now begins with what changes from now on. The bookmark that comes first says from where.
func Now() Start { return Start{since: "now"} }

// After begins with what has changed after the event of this revision, and goes on.
func After(revision uint64) Start {
	return Start{since: strconv.FormatUint(revision, 10), place: revision}
}

// Watch follows the records of a question, all of them when it asks for none in particular: each change comes once, in the
// order of the revisions, also when the connection or a node is lost, since Watch goes on with the next node where it was.
// It ends with the context or with an error, which is then the last thing that it yields:
//
//   - ErrRevisionGone, as a program that was away for too long, or a restore, left changes behind that are not kept any
//     more: begin again with Everything.
//   - ErrUnavailable when no node has answered for Config.RetryFor: go on with After and the last revision. Once there is
//     one, Watch has waited for as long as the nodes asked for, one to ten seconds, before it says so.
//   - ErrNotVersiond when something else has answered for as long, such as a page to log in.
func (c *Client) Watch(ctx context.Context, which Question, from Start, opts ...ReadOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w := &watch{c: c, which: which, from: from, opts: opts, yield: yield}
		if from.since == "0" {
			w.list = &list{given: map[string]uint64{}}
		}
		for vain := 0; ; {
			more, err := w.follow(ctx)
			switch {
			case !more:
				return
			case w.heard:
				vain = 0
			default:
				vain++
			}
			if !sleep(ctx, w.rest(ctx, err, vain)) {
				err = &Error{Code: ErrUnavailable, Detail: "given up", cause: context.Cause(ctx)}
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// watch is one Watch over all its connections.
type watch struct {
	c     *Client
	which Question
	from  Start
	opts  []ReadOption
	yield func(Event, error) bool
	// list is what was given of the records that come first, nil once all were.
	list *list
	// heard reports whether the last connection has brought something.
	heard bool
}

// list are the records that come first, and what changes while they come. When the connection is lost meanwhile they come
// anew. Those that were given before and are gone at the end have to be told.
type list struct {
	given, now map[string]uint64
}

// event is a line of a stream.
type event struct {
	Event
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
}

// follow watches on one connection until it ends. more is false when nobody wants to hear more.
func (w *watch) follow(ctx context.Context) (more bool, err error) {
	w.heard = false
	a, err := w.c.do(ctx, &request{method: http.MethodGet, path: "/version/watch", query: w.query(), streamed: true})
	if err != nil {
		return true, err
	}
	defer a.stream.Close()
	defer w.c.leave(a.at)
	if w.list != nil {
		w.list.now = map[string]uint64{} // they come from the first one on
	}
	for lines := json.NewDecoder(a.stream); ; w.heard = true {
		var e event
		if lines.Decode(&e) != nil {
			return true, ctxError(ctx) // the next node goes on
		}
		switch {
		case e.Type == "error" && e.Code == ErrRevisionGone:
			return true, &Error{Code: e.Code, Detail: e.Detail, Revision: e.Revision, Address: a.at.text, Node: a.node()}
		case e.Type == "error":
			return true, nil // as above
		case !w.give(e.Event):
			return false, nil
		}
	}
}

func ctxError(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return &Error{Code: ErrUnavailable, Detail: "the watch was given up", cause: err}
	}
	return nil
}

func (w *watch) query() url.Values {
	query := url.Values{}
	if w.from.place == 0 {
		query = w.c.readQuery(w.opts) // to go on asks nobody
	}
	w.which.into(query)
	query.Set("since", w.from.since)
	return query
}

// give hands on an event, unless it was given before, and reports whether more are wanted.
func (w *watch) give(e Event) bool {
	if w.list != nil {
		return w.giveListed(e)
	}
	if e.Revision < w.from.place || e.Revision == w.from.place && e.Type != EventBookmark {
		return true
	}
	w.from = After(e.Revision)
	return w.yield(e, nil)
}

// giveListed hands on one of the records that come first, or the bookmark that ends them.
func (w *watch) giveListed(e Event) bool {
	if e.Type == EventPut && e.Record != nil {
		if w.list.add(e.Record) {
			return true
		}
		return w.yield(e, nil)
	}
	if e.Type == EventDelete { // since its page was read; it is told with what else is gone
		delete(w.list.now, e.ID)
	}
	if e.Type != EventBookmark {
		return true
	}
	gone := w.list.gone()
	w.list, w.from = nil, After(e.Revision)
	for _, id := range gone {
		if !w.yield(Event{Type: EventDelete, ID: id, Revision: e.Revision}, nil) {
			return false
		}
	}
	return w.yield(e, nil)
}

// add reports whether a record was given before, as it is.
func (l *list) add(r *Record) bool {
	l.now[r.ID] = r.Revision
	was := l.given[r.ID] == r.Revision
	l.given[r.ID] = r.Revision
	return was
}

// gone returns the ids that were given and are not there any more.
func (l *list) gone() (ids []string) {
	for id := range l.given {
		if _, there := l.now[id]; !there {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// rest returns how long to wait before the next request. One that comes after an ErrUnavailable is of a caller who goes on
// from where this watch was, and who would ask at once while all nodes want to be left alone for longer than a call may take.
func (w *watch) rest(ctx context.Context, err error, vain int) time.Duration {
	var e *Error
	switch {
	case err == nil:
		return backoff(vain)
	case w.from.place == 0, ctx.Err() != nil, !errors.Is(err, ErrUnavailable), !errors.As(err, &e):
		return 0
	}
	return min(max(e.RetryAfter, time.Second), retryAfterMax)
}

// leave makes the next call begin with the address after this one.
func (c *Client) leave(at *address) {
	if i := slices.Index(c.addresses, at); i >= 0 {
		c.preferred.CompareAndSwap(at, c.addresses[(i+1)%len(c.addresses)])
	}
}
