// Package contact puts what hashicorp/raft says into the node's log, and says itself which members do not answer.
package contact

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"versiond/logs"
)

const (
	heartbeatFailed = "failed to heartbeat to"
	// silentMax is how long a member may be away without alarm: a restart takes less.
	silentMax = 10 * time.Second
)

// Contact logs which members do not answer this node while it leads: a member that is restarted is
// news, one that stays away is a warning, which is repeated at intervals.
type Contact struct {
	idAt      func(address string) string
	log, calm *slog.Logger
	now       func() time.Time
	closing   atomic.Bool

	mu     sync.Mutex
	leads  bool
	silent map[string]time.Time // since when, by id
}

// New returns a Contact of a node that does not lead. idAt names the member at an address, "" when there is none.
func New(idAt func(string) string, log *slog.Logger) *Contact {
	return &Contact{idAt: idAt, log: log, calm: logs.Calm(log), now: time.Now, silent: map[string]time.Time{}}
}

// Close notes that this node stops, so that errors of connections are its own doing from now on.
func (c *Contact) Close() { c.closing.Store(true) }

// over reports whether this node stops, so that errors of connections are its own doing.
func (c *Contact) over() bool { return c != nil && c.closing.Load() }

// failed notes that a heartbeat to an address came to nothing.
func (c *Contact) failed(address, err any) {
	if c == nil || c.closing.Load() {
		return
	}
	id, now := c.idAt(fmt.Sprint(address)), c.now()
	if id == "" {
		return // it was removed
	}
	since, began := c.note(id, now)
	switch lasts := now.Sub(since); {
	case began:
		c.log.Info("a member does not answer", "id", id, "address", address, "err", err)
	case !since.IsZero() && lasts >= silentMax:
		c.calm.Warn("a member still does not answer; start it, or remove it when it is gone for good", "id", id, "address", address, "for", lasts.Round(time.Second), "err", err)
	}
}

// note returns since when a member has not answered, and whether that begins now; zero when this node does
// not lead any more.
func (c *Contact) note(id string, now time.Time) (since time.Time, began bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.leads {
		return time.Time{}, false
	}
	since, known := c.silent[id]
	if !known {
		c.silent[id] = now
		return now, true
	}
	return since, false
}

// Observe hears from hashicorp/raft that a member answers again, or that this node leads no more.
func (c *Contact) Observe(o *raft.Observation) bool {
	switch data := o.Data.(type) {
	case raft.ResumedHeartbeatObservation:
		c.resumed(string(data.PeerID))
	case raft.RaftState:
		c.mu.Lock()
		c.leads = data == raft.Leader
		clear(c.silent)
		c.mu.Unlock()
	}
	return false // nobody waits for observations
}

func (c *Contact) resumed(id string) {
	c.mu.Lock()
	since, silent := c.silent[id]
	delete(c.silent, id)
	c.mu.Unlock()
	if silent {
		c.log.Info("a member answers again", "id", id, "after", c.now().Sub(since).Round(time.Millisecond))
	}
}
