package raft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/transport"
)

// VersionFSM is what hashicorp/raft hands committed entries to. Its methods run on hashicorp's FSM
// goroutine; they note, wake the applier and return, and never touch a store, because an FSM that
// blocks stops its node's elections and, on the leader, the whole cluster's writes.
type VersionFSM struct {
	service   VersionServiceInterface
	stores    *raftlog.Stores
	queue     *queue
	turns     *snapshotTurns
	proposals atomic.Int64 // entries proposed by this node whose outcomes somebody awaits
	// lastCommand is the highest entry with commands that the store holds.
	lastCommand atomic.Uint64
	observer    Observer
	// repeats counts how often in a row the snapshot at repeatIndex was to be restored, without an entry in
	// between, since repeatSince. They belong to hashicorp's FSM goroutine.
	repeats     int
	repeatIndex uint64
	repeatSince time.Time
	ending      *ending
}

const (
	// repeatsMax is how often a follower takes the same snapshot. Once is enough.
	repeatsMax = 5
	// repeatsFor is for how long it takes it all the same: one that led until just now cannot say for some
	// seconds which term the hole behind a snapshot has, and is sent the snapshot until it can (raftlog.SnapshotTermLog).
	repeatsFor = 5 * raftlog.ReplicationDrain
)

// errSnapshotLoop is hashicorp/raft#697: what the log holds behind the snapshot is another history, and
// is not removed.
var errSnapshotLoop = errors.New("this node was sent the same snapshot again and again and cannot go on from it, because its Raft log differs from the leader's; " + model.RejoinAdvice)

var _ raft.BatchingFSM = (*VersionFSM)(nil)

func newVersionFSM(service VersionServiceInterface, stores *raftlog.Stores, observer Observer, ending *ending) *VersionFSM {
	return &VersionFSM{service: service, stores: stores, queue: newQueue(), turns: newSnapshotTurns(), observer: observer, ending: ending}
}

// Apply notes one committed entry and returns a handle on its outcomes.
func (f *VersionFSM) Apply(log *raft.Log) any {
	return f.ApplyBatch([]*raft.Log{log})[0]
}

// ApplyBatch notes committed entries and returns a handle for each. It is given configuration
// entries too, which keeps hashicorp's idea of the FSM's index current after a membership change.
func (f *VersionFSM) ApplyBatch(logs []*raft.Log) []any {
	f.repeats = 0
	awaited, now := f.proposals.Load() > 0, time.Now()
	handles := make([]any, len(logs))
	for i, log := range logs {
		handles[i] = f.note(log, awaited, now)
	}
	f.queue.wake.Set()
	return handles
}

func (f *VersionFSM) note(log *raft.Log, awaited bool, now time.Time) *handle {
	e := entryOf(log)
	if e.handed = now; awaited && e.data != nil {
		e.handle = newHandle()
	}
	f.queue.push(e)
	return e.handle
}

// Snapshot asks the applier for a view at the last index that was handed over, and returns without
// waiting for it. It fails when the store is past that index already, as it is while a start
// replays what the store holds: hashicorp/raft tries again later.
func (f *VersionFSM) Snapshot() (raft.FSMSnapshot, error) {
	if last, handed := f.lastCommand.Load(), f.queue.marked().handed; last > handed {
		return nil, fmt.Errorf("the store is at index %d already, the replay only at %d: no snapshot yet", last, handed)
	}
	turn := f.turns.turn()
	if err := context.Cause(turn); err != nil {
		return nil, err
	}
	return &versionSnapshot{request: f.queue.requestView(), observer: f.observer, ctx: turn}, nil
}

// Restore notes that a snapshot takes the place of the records and returns; the applier loads it.
// The stream that it is given is not read: the snapshot lies in the node's snapshot store, where
// the applier finds it together with the index and term that Raft gave it. An error means to
// hashicorp/raft that the snapshot was not installed.
func (f *VersionFSM) Restore(stream io.ReadCloser) error {
	meta, err := raftlog.MetaOf(stream)
	if err != nil {
		return err
	}
	f.noteRepeat(meta.Index)
	if err := f.refuseHeld(meta); err != nil {
		return fmt.Errorf("the snapshot of index %d is not installed: %w", meta.Index, err)
	}
	f.queue.pushRestore(meta.Index)
	f.turns.breakOff()
	return stream.Close()
}

// refuseHeld refuses a snapshot of what this node has already. Hashicorp/raft goes back to any snapshot that it installs:
// it panics when an entry behind it is missing, and takes the members of then for those of now, since it never
// looks again at the entries that are in the log behind it.
//
// It is the goroutine which replicated to a member before that was removed and let in again that may send such a
// one, when it wakes. A leader may also have to: a follower that led until just now cannot say for some seconds which
// term the hole behind a snapshot has (raftlog.SnapshotTermLog). So where the log leads on from it, the leader
// takes transport.ErrSnapshotHeld for success, and goes on behind it.
func (f *VersionFSM) refuseHeld(meta *raft.SnapshotMeta) error {
	highest := f.queue.marked().highest
	if meta.Index < highest {
		if _, err := raftlog.LastContiguous(f.stores.Log, meta.Index, highest); err != nil {
			return fmt.Errorf("this node was handed everything up to %d, and its log does not go back as far", highest)
		}
		return transport.ErrSnapshotHeld
	}
	last, err := f.stores.Log.LastIndex()
	if err == nil && last > meta.Index && f.logHolds(meta, highest) {
		return transport.ErrSnapshotHeld
	}
	return err
}

// logHolds reports whether the log behind highest has what a snapshot was made of: without a hole, an entry of
// the same term means that everything before it is the same (Raft paper, 5.3).
func (f *VersionFSM) logHolds(meta *raft.SnapshotMeta, highest uint64) bool {
	at, err := raftlog.ReadEntry(f.stores.Log, meta.Index)
	if errors.Is(err, raft.ErrLogNotFound) {
		return meta.Index == highest
	}
	if err != nil || at.Term != meta.Term {
		return false
	}
	_, err = raftlog.LastContiguous(f.stores.Log, highest, meta.Index)
	return err == nil
}

func (f *VersionFSM) noteRepeat(index uint64) {
	if f.repeats == 0 || f.repeatIndex != index {
		f.repeats, f.repeatIndex, f.repeatSince = 0, index, time.Now()
	}
	if f.repeats++; f.repeats >= repeatsMax && time.Since(f.repeatSince) > repeatsFor {
		f.ending.fail(errSnapshotLoop)
	}
}
