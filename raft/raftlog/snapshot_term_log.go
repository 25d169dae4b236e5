package raftlog

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// ReplicationDrain is longer than the goroutines that replicate for a leader outlive its leadership.
const ReplicationDrain = 2 * time.Second

// SnapshotTermLog is the log as hashicorp/raft sees it. A snapshot that is sent to a node whose log ends before it
// leaves a hole there. The node must know the term at the end of the hole: when a later leader's entries differ
// from those behind it, hashicorp's check of what goes before them would otherwise fail for ever. So a node
// that does not lead finds there an entry with the term of the snapshot. One that leads finds nothing, and so
// sends its followers the snapshot and not that entry.
type SnapshotTermLog struct {
	raft.LogStore
	snapshots raft.SnapshotStore
	disk      *Disk
	leads     atomic.Bool
	led       atomic.Pointer[time.Time] // when it last ceased to lead, nil when it never led
}

// ForRaft returns the log as hashicorp/raft is to see it, which has to hear of Raft's observations.
func (s *Stores) ForRaft() *SnapshotTermLog {
	return &SnapshotTermLog{LogStore: s.Log, snapshots: s.Snapshots, disk: s.Disk}
}

// GetLog reads an entry, also one that a snapshot stands for. One that cannot be read ends the node:
// hashicorp/raft would panic, or ask for it for ever.
func (s *SnapshotTermLog) GetLog(index uint64, log *raft.Log) error {
	err := s.LogStore.GetLog(index, log)
	if errors.Is(err, model.ErrCorrupt) && s.disk.running.Load() {
		s.disk.end(err)
	}
	if !errors.Is(err, raft.ErrLogNotFound) || !s.follows() {
		return err
	}
	snapshots, errList := s.snapshots.List()
	i := slices.IndexFunc(snapshots, func(meta *raft.SnapshotMeta) bool { return meta.Index == index })
	if errList != nil || i < 0 {
		return err
	}
	*log = raft.Log{Index: index, Term: snapshots[i].Term, Type: raft.LogNoop}
	return nil
}

func (s *SnapshotTermLog) follows() bool {
	led := s.led.Load()
	return !s.leads.Load() && (led == nil || time.Since(*led) > ReplicationDrain)
}

// Observe notes whether the node leads. Hashicorp/raft calls it in the middle of the change, before
// anything is replicated; it returns false because nobody waits for observations.
func (s *SnapshotTermLog) Observe(o *raft.Observation) bool {
	state, ok := o.Data.(raft.RaftState)
	if ok && state != raft.Leader && s.leads.Load() {
		now := time.Now()
		s.led.Store(&now) // before leads, or follows could see neither
	}
	if ok {
		s.leads.Store(state == raft.Leader)
	}
	return false
}
