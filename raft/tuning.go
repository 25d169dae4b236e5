package raft

import (
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// Tuning says when the log is compacted, and in what files it lies.
type Tuning struct {
	// SnapshotInterval is how often it is looked whether a snapshot is due.
	SnapshotInterval time.Duration
	// SnapshotThreshold is how many entries make one due, TrailingLogs how many it leaves.
	SnapshotThreshold, TrailingLogs uint64
	// SegmentBytes is the size of a new file of the log; 0 means the default.
	SegmentBytes int
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
	return conf
}
