package raft

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"versiond/group"
	"versiond/raft/raftlog"
	"versiond/raft/readindex"
	"versiond/raft/transport"
)

// engine is hashicorp/raft of one node, which runs once a cluster has the node.
type engine struct {
	id   string
	disk *raftlog.Disk

	mu        sync.Mutex
	running   *running // nil until Raft runs
	closing   bool
	elsewhere atomic.Pointer[Member] // who leads, while this node's log cannot tell
	changed   group.Signal           // is set when hashicorp/raft names another leader, or none
}

// running is what exists only while Raft runs.
type running struct {
	raft      *raft.Raft
	disk      *raftlog.Disk
	transport *transport.Transport
	proposer  *proposer
	reads     *readindex.Indexer
}

// start begins what runs, unless it does already or the node closes.
func (e *engine) start(begin func() (*running, error)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running != nil || e.closing {
		return nil
	}
	r, err := begin()
	if err == nil {
		e.running = r
	}
	return err
}

// stop lets nothing begin any more, and returns what runs, nil when nothing does.
func (e *engine) stop() *running {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closing = true
	return e.running
}

func (e *engine) current() *running {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running
}

// Running reports whether the node runs Raft, which it does once a cluster has it.
func (e *engine) Running() bool { return e.current() != nil }

// Term returns the node's current Raft term, 0 while it runs no Raft.
func (e *engine) Term() uint64 {
	if running := e.current(); running != nil {
		return running.raft.CurrentTerm()
	}
	return 0
}

// CommitIndex is the highest index that this node knows to be committed.
func (e *engine) CommitIndex() uint64 {
	if running := e.current(); running != nil {
		return running.raft.CommitIndex()
	}
	return 0
}

// LastIndex is the highest index in this node's log, committed or not.
func (e *engine) LastIndex() uint64 {
	if running := e.current(); running != nil {
		return running.raft.LastIndex()
	}
	return 0
}

// leads is hashicorp's word for it, unless the log is held: its main loop cannot step down then.
func (r *running) leads() bool { return r.raft.State() == raft.Leader && r.disk.MayLead() }

// state calls a leader that must not lead a follower, which it becomes as soon as its log lets it.
func (r *running) state() string {
	switch state := r.raft.State(); {
	case r.leads():
		return "leader"
	case state == raft.Candidate:
		return "candidate"
	case state == raft.Shutdown:
		return "shutdown"
	}
	return "follower"
}

// IsLeader reports whether the node leads as far as it knows.
func (e *engine) IsLeader() bool {
	running := e.current()
	return running != nil && running.leads()
}

// Leader names the leader that this node knows of; both are empty when it knows of none.
func (e *engine) Leader() (id, address string) {
	running := e.current()
	if running == nil {
		return "", ""
	}
	if m := e.elsewhere.Load(); m != nil && e.LogFailure() != nil {
		return m.ID, m.Address
	}
	leader, leaderID := running.raft.LeaderWithID()
	if string(leaderID) == e.id && !e.disk.MayLead() {
		return "", ""
	}
	return string(leaderID), string(leader)
}

// LeaderChanged yields when Leader may say something else than before. It is for one receiver.
func (e *engine) LeaderChanged() <-chan struct{} { return e.changed }

// observe hears from hashicorp/raft who leads.
func (e *engine) observe(o *raft.Observation) bool {
	if _, ok := o.Data.(raft.LeaderObservation); ok {
		e.changed.Set()
	}
	return false // nobody waits for observations
}

// NoteLeader notes who leads, on a node whose log is held. Hashicorp/raft cannot find out meanwhile.
func (e *engine) NoteLeader(m Member) { e.elsewhere.Store(&m) }

// SinceLeader is how long the node has not heard a leader; zero on a leader.
func (e *engine) SinceLeader() time.Duration {
	running := e.current()
	if running == nil || running.leads() {
		return 0
	}
	return time.Since(running.raft.LastContact())
}

// LogFailure returns why writes to the Raft log wait and what would help, nil when none does.
func (e *engine) LogFailure() error { return e.disk.Err() }
