// Package group has what goroutines share: one call for many callers (Batcher, Rounds), a bounded number of places (Gate), a
// wake-up (Signal), and loops, pauses and waits that end with a context (Every, Pause, Aside).
package group

import (
	"sync"
	"time"

	"versiond/model"
)

// Limits bounds a collector. Sizes are in whatever unit Add is told.
type Limits struct {
	// GroupSizeMax is the most that one group may hold; one item alone may exceed it.
	GroupSizeMax int
	// GroupCountMax is the most that the counts of one group's items may come to; one item alone may
	// exceed it.
	GroupCountMax int
	// InFlightMax is how many groups may be on their way at once.
	InFlightMax int
	// WaitingItemsMax is how many items may wait, and WaitingSizeMax how much they may hold together;
	// beyond either Add refuses. One item alone may exceed the size.
	WaitingItemsMax, WaitingSizeMax int
}

// collector hands items to send in groups. What comes alone leaves at once, unless it is smaller than what came alone before;
// under load groups grow by themselves, and become similar in size: one leaves when it is about as large as the last, or has
// lingered as long as one takes. All methods may be called from any goroutine.
type collector[T any] struct {
	limits Limits
	send   func([]T)

	mu       sync.Mutex
	waiting  []sized[T]
	size     int // of all that waits
	count    int // of all that waits
	inFlight int
	sent     int           // how many groups have left
	lastSent int           // the count of the group that left last, 0 when what waits need not become as large
	took     time.Duration // by the group that came back last
	linger   *time.Timer   // runs while nothing is on its way and what waits should become larger
	closed   bool
	senders  sync.WaitGroup
}

type sized[T any] struct {
	item        T
	size, count int
}

// newCollector makes a collector. It calls send on goroutines of its own, at most InFlightMax at a
// time; a group has come back when send returns.
func newCollector[T any](limits Limits, send func([]T)) *collector[T] {
	return &collector[T]{limits: limits, send: send}
}

// Add queues an item that counts for so many. It fails with model.ErrTooManyRequests when too much waits already and with
// model.ErrNotLeader after Close; the item is then never sent.
func (c *collector[T]) Add(item T, size, count int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return model.ErrNotLeader
	case len(c.waiting) >= c.limits.WaitingItemsMax, len(c.waiting) > 0 && c.size+size > c.limits.WaitingSizeMax:
		return model.ErrTooManyRequests
	}
	c.waiting = append(c.waiting, sized[T]{item, size, count})
	c.size += size
	c.count += count
	c.startSender()
	return nil
}

const (
	// largeCount is that of a group whose cost hardly shows in its items, so that it need not become larger.
	largeCount = 128
	// lingerCount is that of a group which does not linger while nothing is on its way.
	lingerCount = 48
	// lingerMax bounds how long one may linger, also when groups take long because a store or the network is slow.
	lingerMax = 5 * time.Millisecond
)

// startSender has one more group leave, if that is allowed and worthwhile, or sees to it that it will.
func (c *collector[T]) startSender() {
	switch {
	case len(c.waiting) == 0 || c.inFlight == c.limits.InFlightMax:
	case c.worthwhile():
		c.inFlight++
		c.senders.Go(c.sendAll)
	case c.inFlight == 0 && c.linger == nil:
		sent := c.sent
		c.linger = time.AfterFunc(min(c.took, lingerMax), func() { c.endLinger(sent) })
	}
}

// endLinger has what waits leave as it is, unless a group has left since the waiting began, when sent of them had.
func (c *collector[T]) endLinger(sent int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent != sent {
		return
	}
	c.linger, c.lastSent = nil, 0
	c.startSender()
}

// sendAll sends group after group until none should leave.
func (c *collector[T]) sendAll() {
	for items := c.next(); items != nil; items = c.next() {
		began := time.Now()
		c.send(items)
		c.cameBack(time.Since(began))
	}
}

func (c *collector[T]) cameBack(took time.Duration) {
	c.mu.Lock()
	c.took = took
	c.mu.Unlock()
}

func (c *collector[T]) next() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	if !c.worthwhile() {
		c.startSender() // once it has lingered
		return nil
	}
	c.inFlight++
	if c.linger != nil {
		c.linger.Stop()
		c.linger = nil
	}
	n := c.fit()
	items := make([]T, n)
	c.sent, c.lastSent = c.sent+1, 0
	for i := range items {
		items[i] = c.waiting[i].item
		c.size -= c.waiting[i].size
		c.lastSent += c.waiting[i].count
	}
	c.count -= c.lastSent
	c.waiting = append(c.waiting[:0], c.waiting[n:]...)
	clear(c.waiting[len(c.waiting) : len(c.waiting)+n])
	c.startSender() // for what did not fit
	return items
}

// worthwhile reports whether a group should leave now: when it is as large as the one that left last, or large enough, or
// when the collector is closed. A group costs much and an item little, and those who were answered together ask again
// together. An item may be the group of another node, so one that was alone may stand for many who do.
func (c *collector[T]) worthwhile() bool {
	enough := largeCount
	if c.inFlight == 0 {
		enough = lingerCount
	}
	switch {
	case len(c.waiting) == 0:
		return false
	case c.closed && c.inFlight == 0:
		return true
	}
	return c.count >= min(c.lastSent, enough) || c.size >= c.limits.GroupSizeMax
}

// fit returns how many of the waiting items make the next group: at least one.
func (c *collector[T]) fit() int {
	n, size, count := 1, c.waiting[0].size, c.waiting[0].count
	for n < len(c.waiting) {
		size, count = size+c.waiting[n].size, count+c.waiting[n].count
		if size > c.limits.GroupSizeMax || count > c.limits.GroupCountMax {
			break
		}
		n++
	}
	return n
}

// Close refuses further items, and returns when all that waited has been sent.
func (c *collector[T]) Close() {
	c.mu.Lock()
	c.closed = true
	c.startSender() // what lingers leaves
	c.mu.Unlock()
	c.senders.Wait()
}
