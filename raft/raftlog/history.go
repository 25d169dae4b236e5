package raftlog

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// ErrNoSnapshot is returned where there is no snapshot.
var ErrNoSnapshot = errors.New("there is no snapshot")

// History is what the data directory can still tell: the newest snapshot, and the log after it.
type History struct {
	First, Last uint64             // of the log, or of the snapshot when it reaches further
	Snapshot    *raft.SnapshotMeta // nil when there is none

	logs raft.LogStore
}

// ReadHistory looks at the log before the snapshots: a leader may send one at any moment, after which the log begins
// behind it, and the other way round that would look like a gap.
func ReadHistory(logs raft.LogStore, snapshots raft.SnapshotStore) (History, error) {
	h := History{logs: logs}
	var errFirst, errLast error
	h.First, errFirst = logs.FirstIndex()
	h.Last, errLast = logs.LastIndex()
	if err := errors.Join(errFirst, errLast); err != nil {
		return h, fmt.Errorf("read the bounds of the Raft log: %w", err)
	}
	snapshot, err := NewestSnapshot(snapshots)
	if errors.Is(err, ErrNoSnapshot) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	h.Snapshot, h.Last = snapshot, max(h.Last, snapshot.Index)
	return h, nil
}

// TermAt returns the term of the entry at index, and whether anything knows it.
func (h History) TermAt(index uint64) (term uint64, known bool, err error) {
	if h.Snapshot != nil && h.Snapshot.Index == index {
		return h.Snapshot.Term, true, nil
	}
	log, err := ReadEntry(h.logs, index)
	if errors.Is(err, raft.ErrLogNotFound) {
		return 0, false, nil
	}
	return log.Term, err == nil, err
}

// LeadsToSnapshot reports whether the log behind index is what the newest snapshot was made of. Where one was
// sent by another node it need not be: hashicorp/raft leaves entries of before in the log, in front of a
// hole, that were never committed. Without a hole an entry of the same term means that everything before
// it is the same (Raft paper, 5.3).
func (h History) LeadsToSnapshot(index uint64) (bool, error) {
	last, err := LastContiguous(h.logs, index, h.Snapshot.Index)
	if errors.Is(err, raft.ErrLogNotFound) {
		return false, nil
	}
	return last.Term == h.Snapshot.Term, err
}

// LastContiguous returns the entry at last, and raft.ErrLogNotFound where it or one between index and it is not
// there: a snapshot that was sent leaves a hole.
func LastContiguous(logs raft.LogStore, index, last uint64) (log raft.Log, err error) {
	for i := index + 1; i <= last && err == nil; i++ {
		log, err = ReadEntry(logs, i)
	}
	return log, err
}

// ReadEntry reads an entry.
func ReadEntry(logs raft.LogStore, index uint64) (log raft.Log, err error) {
	if err := logs.GetLog(index, &log); err != nil {
		return raft.Log{}, fmt.Errorf("read entry %d of the Raft log: %w", index, err)
	}
	return log, nil
}

// UnreadableEntry returns an error that says what to do about an entry that does not decode.
func UnreadableEntry(index uint64, err error) error {
	return fmt.Errorf("log entry %d cannot be read: %w; run the release that wrote it; where that is the one that runs, %s", index, err, model.RejoinAdvice)
}

// ContinuesAfter reports whether the log leads on from index without a gap. An empty log does when
// there is nothing newer, in a snapshot, than index.
func (h History) ContinuesAfter(index uint64) bool {
	if h.First == 0 {
		return h.Snapshot == nil || h.Snapshot.Index <= index
	}
	return h.First <= index+1
}

// NewestSnapshot returns the newest snapshot, or ErrNoSnapshot.
func NewestSnapshot(snapshots raft.SnapshotStore) (*raft.SnapshotMeta, error) {
	metas, err := snapshots.List()
	if err != nil {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	if len(metas) == 0 {
		return nil, ErrNoSnapshot
	}
	return metas[0], nil
}
