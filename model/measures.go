package model

import "time"

// Measures is what a node knows of itself at one moment, in numbers. Counts begin at 0 when the node
// starts and never shrink.
type Measures struct {
	// State is the node's Raft state in small letters: leader, follower, candidate, shutdown, or
	// waiting while the node runs no Raft.
	State string
	// LeaderKnown reports whether the node knows who leads.
	LeaderKnown bool
	// Serving reports whether the store is known to hold what AppliedIndex says.
	Serving bool
	// StoreDiffers reports whether the store is known to hold something else than the log makes.
	StoreDiffers bool
	// MembersDisagree reports whether other members have other records and no majority says whose are right.
	MembersDisagree bool
	// LogHeld reports whether a write to the Raft log waits for a disk that fails or hangs.
	LogHeld bool
	// Removed reports whether the node is no longer a member.
	Removed bool
	Term    uint64
	// CommitIndex, AppliedIndex and LastIndex are places in the log: the last that is known to be
	// committed, that the store holds, and that this node has at all.
	CommitIndex  uint64
	AppliedIndex uint64
	LastIndex    uint64
	// LastContact is how long ago a leader was heard; 0 on a leader, and before the first contact.
	LastContact time.Duration
	// ApplierLag is how long the oldest entry that waits for the applier has waited.
	ApplierLag time.Duration
	Members    int
	Voters     int

	// Records is how many records the node has, MemoryRecords how many MemoryDB holds of them.
	Records       int
	MemoryRecords int
	Lookups       Lookups
	// StoreReadFailures counts reads that the store failed.
	StoreReadFailures uint64
	// Watchers is how many watch the node; WatchEvents counts what they were told, WatchersTooSlow those that did not take it.
	Watchers        int
	WatchEvents     uint64
	WatchersTooSlow uint64
	// RedisPending is how many changes wait for Redis, RedisFailures counts batches that it did not take.
	RedisPending  int
	RedisFailures uint64
}

// Lookups counts where reads of single records found them. A value of another revision than the
// current one is a miss.
type Lookups struct {
	// Absent were answered by the revision index alone: there is no such record.
	Absent                   uint64
	MemoryHits, MemoryMisses uint64
	RedisHits, RedisMisses   uint64
	StoreHits, StoreMisses   uint64
}
