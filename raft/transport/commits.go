package transport

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// commitDelay is how long a follower that was sent entries waits for the next ones before it is told by themselves which of
// them are committed. Under load the next ones say so.
const commitDelay = 5 * time.Millisecond

// commits sends followers what is committed as soon as no more entries follow. Hashicorp/raft sends it at intervals, also when
// there is nothing new: for followers to know within milliseconds it would have to send hundreds of messages a second all the
// time. What is sent here is what it would send itself, an AppendEntries without entries, and may be late, be lost or come twice.
type commits struct {
	// send is called outside of any lock, and blocks.
	send func(raft.ServerID, raft.ServerAddress, *raft.AppendEntriesRequest) error
	// state returns hashicorp's commit index and then, read after that, its term.
	state func() (commit, term uint64)

	mu        sync.Mutex
	closed    bool
	followers map[raft.ServerID]*follower
}

// follower is what is known of one.
type follower struct {
	commits *commits
	id      raft.ServerID
	address raft.ServerAddress
	next    raft.AppendEntriesRequest // as it follows on what was accepted last, with the commit index that was told last
	since   time.Time                 // when that was accepted
	sending bool                      // hashicorp/raft sends it something, which says what is committed
	// The timer is armed once, and then looks itself whether it came too early: a process that sets a timer for each entry wakes a
	// thread each time.
	timer *time.Timer
	armed bool
}

func newCommits(send func(raft.ServerID, raft.ServerAddress, *raft.AppendEntriesRequest) error, state func() (commit, term uint64)) *commits {
	return &commits{send: send, state: state, followers: map[raft.ServerID]*follower{}}
}

// sending notes that hashicorp/raft sends a follower something, which says what is committed.
func (c *commits) sending(id raft.ServerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.followers[id]; f != nil {
		f.sending = true
	}
}

// accepted notes what a follower has taken.
func (c *commits) accepted(id raft.ServerID, address raft.ServerAddress, args *raft.AppendEntriesRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.followers[id]
	if f == nil {
		f = &follower{commits: c, id: id}
		f.timer = time.AfterFunc(time.Hour, f.tell)
		f.timer.Stop()
		c.followers[id] = f
	}
	f.address, f.next, f.since, f.sending = address, following(args), time.Now(), false
	if !f.armed {
		f.rearm(commitDelay)
	}
}

// following returns the request without entries that may follow on args.
func following(args *raft.AppendEntriesRequest) raft.AppendEntriesRequest {
	next := *args
	if n := len(args.Entries); n > 0 {
		next.PrevLogEntry, next.PrevLogTerm = args.Entries[n-1].Index, args.Entries[n-1].Term
	}
	next.Entries = nil
	return next
}

// rearm has the follower told in a while, if there may be something to tell. The caller holds the lock.
func (f *follower) rearm(after time.Duration) {
	f.armed = !f.commits.closed && !f.sending && f.next.LeaderCommitIndex < f.next.PrevLogEntry
	if f.armed {
		f.timer.Reset(after)
	}
}

// tell sends the follower how much of what it has accepted is committed by now. Only that: any entries behind may yet be replaced.
func (f *follower) tell() {
	next, address, due := f.asked()
	if !due {
		return
	}
	commit, term := f.commits.state()
	leads := term == next.Term // else this node leads no more, and what it knows now is not of its own term
	if commit = min(commit, next.PrevLogEntry); leads && commit > next.LeaderCommitIndex {
		next.LeaderCommitIndex = commit
		leads = f.commits.send(f.id, address, &next) == nil // else hashicorp/raft goes on, and knows what to do
	}
	f.commits.mu.Lock()
	defer f.commits.mu.Unlock()
	if f.armed = false; !leads {
		return
	}
	if f.next.Term == next.Term {
		f.next.LeaderCommitIndex = max(f.next.LeaderCommitIndex, next.LeaderCommitIndex)
	}
	f.rearm(commitDelay)
}

// asked returns what to tell and where, and whether it is time for that.
func (f *follower) asked() (next raft.AppendEntriesRequest, address raft.ServerAddress, due bool) {
	f.commits.mu.Lock()
	defer f.commits.mu.Unlock()
	left := commitDelay - time.Since(f.since)
	if due = !f.commits.closed && !f.sending && left <= 0; !due {
		f.rearm(max(left, 0))
	}
	return f.next, f.address, due
}

// close has nobody told anything any more.
func (c *commits) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, f := range c.followers {
		f.timer.Stop()
	}
}
