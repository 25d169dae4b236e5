package raft

import (
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// Tuning sets when the log is compacted, in what files it lies, and how soon a silent leader is replaced.
type Tuning struct {
	// SnapshotInterval is how often it is looked whether a snapshot is due.
	SnapshotInterval time.Duration
	// SnapshotThreshold is how many entries make one due, TrailingLogs how many it leaves.
	SnapshotThreshold, TrailingLogs uint64
	// SegmentBytes is the size of a new file of the log; 0 means the default.
	SegmentBytes int
	// ElectionTimeout is how long a node waits for word of a leader before it stands for election; 0 means a second. A leader
	// that has not heard from a quorum for half as long gives up its lead.
	ElectionTimeout time.Duration
}

func (t Tuning) raftConfig(node string, log hclog.Logger) *raft.Config {
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(node)
	conf.Logger = log
	conf.MaxAppendEntries = 256
	conf.BatchApplyCh = true
	// A follower learns of a commit with the next entries, or from the transport. This is for when both fail.
	conf.CommitTimeout = 50 * time.Millisecond
	// The applier alone decides what the store lacks (docs/design.md, "Exactly once").
	conf.NoSnapshotRestoreOnStart = true
	// A removed node stays up to say so.
	conf.ShutdownOnRemove = false
	conf.SnapshotInterval = t.SnapshotInterval
	conf.SnapshotThreshold = t.SnapshotThreshold
	conf.TrailingLogs = t.TrailingLogs
	if t.ElectionTimeout > 0 {
		conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = t.ElectionTimeout, t.ElectionTimeout, t.ElectionTimeout/2
	}
	return conf
}
