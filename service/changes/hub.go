// Package changes lets many watchers follow what is written, each from where it was: from a ring of the newest changes, which
// the applier feeds without waiting for any of them, and from the kept log of changes for what is older.
package changes

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"versiond/model"
)

const (
	// WatchersMax bounds the watchers of a node.
	WatchersMax = 1000
	// wakePause is for how long changes gather before those who wait for them are woken.
	wakePause = 10 * time.Millisecond
)

// Hub passes what is written on to watchers. The applier calls Publish and Reset; any goroutine may call the others.
type Hub struct {
	mu       sync.Mutex
	closed   bool
	floor    uint64 // the revision after which all changes are kept; 0 before any are
	ring     ring
	watchers map[*Watcher]struct{}
	max      int
	// groups are the watchers of one filter, which share its place in the index.
	groups map[string]*group
	index  index
	// due are the groups that are to be woken.
	due     []*group
	counted Counts
	told    atomic.Uint64 // events
}

// Counts is what a hub has done.
type Counts struct {
	// Watchers is how many there are; Events counts what was given to them, TooSlow those that were ended for not taking it.
	Watchers        int
	Events, TooSlow uint64
}

// group is the watchers of one filter.
type group struct {
	filter   Filter
	watchers []*Watcher
	due      bool
	first    uint64 // the revision that made it due
	matched  total  // of all changes that match, since the group began
}

// total is how many events there are, and how large they are, about.
type total struct{ events, bytes uint64 }

func (t total) minus(other total) total { return total{t.events - other.events, t.bytes - other.bytes} }

func (t *total) add(bytes int) { t.events++; t.bytes += uint64(bytes) }

// NewHub returns one without watchers, of which it will take so many. Nobody can watch before the first Reset.
func NewHub(watchersMax int) *Hub {
	return &Hub{max: watchersMax, watchers: map[*Watcher]struct{}{}, groups: map[string]*group{}, index: newIndex()}
}

// Publish passes changes that are kept by now on to watchers, in the order of their revisions. All changes after the floor are
// kept; it is 0 before any are. Publish waits for nobody.
func (h *Hub) Publish(changes []model.Change, floor uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.floor = floor
	if h.ring.newest == 0 {
		h.ring.reset(floor)
	}
	asleep := len(h.due) == 0
	for _, each := range logged(changes) {
		h.ring.add(each)
		h.index.matching(&each.Change, func(g *group) { h.match(g, each) })
	}
	if asleep && len(h.due) > 0 {
		time.AfterFunc(wakePause, h.wake)
	}
}

// match notes that a change is one that a group waits for.
func (h *Hub) match(g *group, c *change) {
	g.matched.add(c.size)
	if !g.due {
		g.due, g.first = true, c.Revision
		h.due = append(h.due, g)
	}
}

// wake lets those go on who wait for what has come.
func (h *Hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.due {
		for _, w := range g.watchers {
			if w.idle {
				w.idle, w.after = false, max(w.after, g.first-1)
				w.signal()
			}
		}
		g.due = false
	}
	h.due = nil
}

// Reset ends all streams, as the store is loaded anew. It has the changes after the floor, up to newest.
func (h *Hub) Reset(floor, newest uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endAll()
	h.floor = floor
	h.ring.reset(max(floor, newest))
}

// Close ends all streams, and lets none begin.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endAll()
	h.closed = true
}

func (h *Hub) endAll() {
	for w := range h.watchers {
		w.after, w.ended, w.idle = w.seen(), true, false
		w.signal()
	}
}

// Counts returns what the hub has done.
func (h *Hub) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	counted := h.counted
	counted.Watchers, counted.Events = len(h.watchers), h.told.Load()
	return counted
}

// join takes a watcher in: with all that is known by now, or from where it was.
func (h *Hub) join(w *Watcher, now bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now {
		w.after = h.ring.newest
	}
	switch {
	case h.closed:
		return model.Explain(model.ErrNotCaughtUp, "this node stops; watch on another one")
	case len(h.watchers) >= h.max:
		return model.Explain(model.ErrTooManyRequests, fmt.Sprintf("this node has %d watchers, which is as many as it takes; watch on another node, or later", h.max))
	case h.ring.newest == 0:
		return errNotKept
	case w.after < min(h.floor, h.ring.before):
		return &model.RevisionGone{Oldest: h.floor}
	}
	h.watchers[w] = struct{}{}
	return nil
}

// leave forgets a watcher.
func (h *Hub) leave(w *Watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers, w)
	if g := w.group; g != nil {
		w.group = nil
		g.watchers = slices.DeleteFunc(g.watchers, func(each *Watcher) bool { return each == w })
		h.dissolve(g)
	}
}

// follow puts a watcher into its group.
func (h *Hub) follow(w *Watcher) {
	key := w.filter.key()
	g := h.groups[key]
	if g == nil {
		g = &group{filter: w.filter}
		h.groups[key] = g
		h.index.add(g)
	}
	g.watchers = append(g.watchers, w)
	w.group, w.taken = g, g.matched
}

func (h *Hub) dissolve(g *group) {
	if len(g.watchers) > 0 {
		return
	}
	delete(h.groups, g.filter.key())
	h.index.remove(g)
	h.due = slices.DeleteFunc(h.due, func(each *group) bool { return each == g })
}
