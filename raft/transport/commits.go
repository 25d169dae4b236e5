package transport

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// commitDelay is how long a follower that was sent entries waits for the next ones before it is told by themselves which of
// them are committed. Under load the next ones say so.
const commitDelay = 5 * time.Millisecond

// commits tells followers what is committed as soon as no more entries follow. Hashicorp/raft tells them at intervals, also when
// there is nothing to tell: for followers to know within milliseconds it would have to send hundreds of messages a second all the
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
	timer   *time.Timer               // runs while it has entries that it does not know to be committed, and is sent nothing
	sent    int                       // counts what hashicorp/raft has sent
}

func newCommits(send func(raft.ServerID, raft.ServerAddress, *raft.AppendEntriesRequest) error, state func() (commit, term uint64)) *commits {
	return &commits{send: send, state: state, followers: map[raft.ServerID]*follower{}}
}

// sending notes that hashicorp/raft sends a follower something, which says what is committed.
func (c *commits) sending(id raft.ServerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.followers[id]; f != nil {
		f.sent++
		f.timer.Stop()
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
		c.followers[id] = f
	}
	f.address, f.next = address, following(args)
	f.await()
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

// await has the follower told in a moment, if there may be something to tell. The caller holds the lock.
func (f *follower) await() {
	f.timer.Stop()
	if !f.commits.closed && f.next.LeaderCommitIndex < f.next.PrevLogEntry {
		f.timer.Reset(commitDelay)
	}
}

// tell tells the follower what is committed by now of what it has. Only that: of its entries behind those, others may take the place.
func (f *follower) tell() {
	next, address, sent := f.asked()
	commit, term := f.commits.state()
	if term != next.Term {
		return // this node does not lead any more, and what it knows now is not of its own term
	}
	if commit = min(commit, next.PrevLogEntry); commit > next.LeaderCommitIndex {
		next.LeaderCommitIndex = commit
		if f.commits.send(f.id, address, &next) != nil {
			return // hashicorp/raft goes on, and knows what to do
		}
	}
	f.commits.mu.Lock()
	defer f.commits.mu.Unlock()
	if f.sent == sent {
		f.next.LeaderCommitIndex = next.LeaderCommitIndex
		f.await()
	}
}

func (f *follower) asked() (raft.AppendEntriesRequest, raft.ServerAddress, int) {
	f.commits.mu.Lock()
	defer f.commits.mu.Unlock()
	return f.next, f.address, f.sent
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
