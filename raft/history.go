package raft

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
)

var (
	errNoSnapshot = errors.New("there is no snapshot")
	errNoHistory  = errors.New("neither the Raft log nor a snapshot leads to the present; " + model.RejoinAdvice)
)

// history is what the data directory can still tell: the newest snapshot, and the log after it.
type history struct {
	logs        raft.LogStore
	first, last uint64 // of the log, or of the snapshot when it reaches further
	snapshot    *raft.SnapshotMeta
}

// history looks at the log before the snapshots: a leader may send one at any moment, after which the log begins
// behind it, and the other way round that would look like a gap.
func (a *applier) history() (history, error) {
	h := history{logs: a.logs}
	var errFirst, errLast error
	h.first, errFirst = a.logs.FirstIndex()
	h.last, errLast = a.logs.LastIndex()
	if err := errors.Join(errFirst, errLast); err != nil {
		return h, fmt.Errorf("read the bounds of the Raft log: %w", err)
	}
	snapshot, err := newestSnapshot(a.fsm.snapshots)
	if errors.Is(err, errNoSnapshot) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	h.snapshot, h.last = snapshot, max(h.last, snapshot.Index)
	return h, nil
}

// termAt returns the term of the entry at index, and whether anything knows it.
func (h history) termAt(index uint64) (term uint64, known bool, err error) {
	if h.snapshot != nil && h.snapshot.Index == index {
		return h.snapshot.Term, true, nil
	}
	var log raft.Log
	switch err := h.logs.GetLog(index, &log); {
	case errors.Is(err, raft.ErrLogNotFound):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("read entry %d of the Raft log: %w", index, err)
	}
	return log.Term, true, nil
}

// leadsToSnapshot reports whether the log behind index is what the newest snapshot was made of. Where one was
// sent by another node it need not be: hashicorp/raft leaves entries of before in the log, in front of a
// hole, that were never committed. Without a hole an entry of the same term means that everything before
// it is the same (Raft paper, 5.3).
func (h history) leadsToSnapshot(index uint64) (bool, error) {
	last, err := lastContiguous(h.logs, index, h.snapshot.Index)
	if errors.Is(err, raft.ErrLogNotFound) {
		return false, nil
	}
	return last.Term == h.snapshot.Term, err
}

// lastContiguous returns the entry at last, and raft.ErrLogNotFound where it or one between index and it is not
// there: a restore, or a snapshot that was sent, leaves a hole.
func lastContiguous(logs raft.LogStore, index, last uint64) (log raft.Log, err error) {
	for i := index + 1; i <= last; i++ {
		if err := logs.GetLog(i, &log); err != nil {
			return raft.Log{}, fmt.Errorf("read entry %d of the Raft log: %w", i, err)
		}
	}
	return log, nil
}

// continuesAfter reports whether the log leads on from index without a gap. An empty log does when
// there is nothing newer, in a snapshot, than index.
func (h history) continuesAfter(index uint64) bool {
	if h.first == 0 {
		return h.snapshot == nil || h.snapshot.Index <= index
	}
	return h.first <= index+1
}

// newestSnapshot returns the newest snapshot, or errNoSnapshot.
func newestSnapshot(snapshots raft.SnapshotStore) (*raft.SnapshotMeta, error) {
	metas, err := snapshots.List()
	if err != nil {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	if len(metas) == 0 {
		return nil, errNoSnapshot
	}
	return metas[0], nil
}
