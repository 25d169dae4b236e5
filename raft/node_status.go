package raft

import (
	"errors"
	"fmt"
	"time"

	"versiond/model"
)

// Status is what a node says of itself to other nodes and to its operators.
type Status struct {
	model.Identity
	// Former lists the clusters that the node's cluster was recovered from.
	Former []string `json:"formerClusters,omitempty"`
	// Running is false while the node waits to be taken into a cluster.
	Running bool `json:"running"`
	// Knows is the highest number of a command in the log that this release reads. One that does not say so knows no more than
	// those of records and of a restore.
	Knows model.CommandType `json:"knows"`
	// KeepsChanges is set once the node knows that its log says that changes are kept.
	KeepsChanges bool `json:"keepsChanges,omitempty"`
	// Replica is set on a member that never wants a vote.
	Replica bool `json:"replica,omitempty"`
	// State is follower, candidate, leader or shutdown; waiting while Raft does not run.
	State         string `json:"state"`
	Term          uint64 `json:"term"`
	LeaderID      string `json:"leaderId,omitempty"`
	LeaderAddress string `json:"leaderAddress,omitempty"`
	Applied       uint64 `json:"applied"`
	Commit        uint64 `json:"commit"`
	LastIndex     uint64 `json:"lastIndex"`
	LastContactMS int64  `json:"lastContactMs"`
	Serving       bool   `json:"serving"`
	Stuck         bool   `json:"stuck"`
	// StoreFailing is set while the applier has something for the store that it does not take.
	StoreFailing bool `json:"storeFailing,omitempty"`
	// CommitMicros is what the store takes for a transaction lately, in microseconds; 0 while unknown.
	CommitMicros int64 `json:"commitMicros,omitempty"`
	// LogHeld is set while a write to the Raft log waits for a disk that fails or hangs.
	LogHeld bool     `json:"logHeld,omitempty"`
	Members []Member `json:"members,omitempty"`
	// Content are the checksums of the records at the applied index and at some before it, which every
	// node notes at the same ones; that at the applied index is the last.
	Content []model.Checkpoint `json:"content,omitempty"`
}

// Status reads the node's state. It takes no lock of Raft's main loop, so it answers while that is held up.
func (n *Node) Status() Status {
	s := Status{Identity: n.Identity(), Former: n.Former(), Replica: n.Replica(), Knows: model.CommandsKnown, KeepsChanges: n.KeepsChanges(), State: "waiting", Applied: n.AppliedIndex(), Serving: n.Serving(), Stuck: n.Stuck(), StoreFailing: n.StoreFailure() != nil, LogHeld: n.LogFailure() != nil}
	took, _ := n.CommitTime()
	s.CommitMicros = took.Microseconds()
	running := n.current()
	if running == nil {
		return s
	}
	r := running.raft
	s.Running, s.State, s.Term = true, running.state(), r.CurrentTerm()
	s.LeaderID, s.LeaderAddress = n.Leader()
	s.Commit, s.LastIndex = r.CommitIndex(), r.LastIndex()
	if contact := r.LastContact(); !contact.IsZero() && s.State != "leader" {
		s.LastContactMS = time.Since(contact).Milliseconds()
	}
	s.Members, s.Content = n.Members(), n.checkpoints()
	return s
}

// Stuck reports whether the applier has been held up for StuckAfter.
func (n *Node) Stuck() bool { return n.Running() && n.sinceMoved() > StuckAfter }

// Store names the node's store to an operator.
func (n *Node) Store() string { return n.cfg.Store }

// HeldUp returns why the applier does not move on where the store is to blame: what that answers, or that it does
// not answer. It is nil while the applier is not stuck, and while the store is at work.
func (n *Node) HeldUp() error {
	if !n.Stuck() || n.works() {
		return nil
	}
	failure := n.StoreFailure()
	var answer *model.StoreError
	switch {
	case errors.As(failure, &answer):
		return answer
	case failure != nil:
		return fmt.Errorf("%w (%v)", model.ErrStoreUnavailable, failure) // %v: a driver's timeout must not pass for the caller's
	}
	return &model.StoreError{Detail: fmt.Sprintf("the node's database does not answer, for %s now: it hangs, or somebody holds a lock on the node's tables",
		n.sinceWorked().Round(time.Second/10))}
}

// whyStuck is HeldUp for a caller who has to be told something.
func (n *Node) whyStuck() error {
	if err := n.HeldUp(); err != nil {
		return err
	}
	return fmt.Errorf("%w: its store is at work on what came before", model.ErrNotCaughtUp)
}
