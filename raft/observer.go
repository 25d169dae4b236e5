package raft

import "time"

// Observer is told what the node does, as it happens and on the goroutine that does it: an Observer
// returns at once. Its methods may be called from several goroutines.
type Observer interface {
	// Proposed is called for each log entry that this node proposes.
	Proposed(commands int)
	// Applied is called for each transaction that brought entries to the store.
	Applied(entries, commands int, took time.Duration)
	// StoreFailed is called whenever the store fails the applier, which then tries again.
	StoreFailed()
	// LogFailed is called whenever a write to the Raft log fails or hangs; it is then tried again, or waited for.
	LogFailed()
	// SnapshotPersisted is called when a snapshot was written, or failed to be.
	SnapshotPersisted(bytes int64, took time.Duration, err error)
	// SnapshotRestored is called when a snapshot was loaded, or failed to be.
	SnapshotRestored(bytes int64, took time.Duration, err error)
	// QuorumRound is called for each round of asking the voters whether this node still leads, which
	// reads askers shared.
	QuorumRound(reads int, took time.Duration, err error)
}

// unobserved is the Observer of nodes that have none.
type unobserved struct{}

func (unobserved) Proposed(int)                                  {}
func (unobserved) Applied(int, int, time.Duration)               {}
func (unobserved) StoreFailed()                                  {}
func (unobserved) LogFailed()                                    {}
func (unobserved) SnapshotPersisted(int64, time.Duration, error) {}
func (unobserved) SnapshotRestored(int64, time.Duration, error)  {}
func (unobserved) QuorumRound(int, time.Duration, error)         {}
