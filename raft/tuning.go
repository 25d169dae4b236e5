package raft

import (
	"cmp"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// Tuning is what tests make smaller than a cluster needs. Zero values mean the defaults.
type Tuning struct {
	SnapshotInterval  time.Duration // 30 s
	SnapshotThreshold uint64        // 8192 entries
	TrailingLogs      uint64        // 10240 entries
}

func (t Tuning) raftConfig(node string, log hclog.Logger) *raft.Config {
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(node)
	conf.Logger = log
	conf.MaxAppendEntries = 256
	conf.BatchApplyCh = true
	// A follower learns of a commit with the next entries, or after this time.
	conf.CommitTimeout = 5 * time.Millisecond
	// The applier alone decides what the store lacks (design section 4, rule 2).
	conf.NoSnapshotRestoreOnStart = true
	// A removed node stays up to say so.
	conf.ShutdownOnRemove = false
	conf.SnapshotInterval = cmp.Or(t.SnapshotInterval, 30*time.Second)
	conf.SnapshotThreshold = cmp.Or(t.SnapshotThreshold, 8192)
	conf.TrailingLogs = cmp.Or(t.TrailingLogs, 10240)
	return conf
}
