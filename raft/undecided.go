package raft

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// A restored backup is the one snapshot that a node may hold before it is committed. Hashicorp's
// Restore makes it on the leader, lets the FSM have it, and only then replicates it. Were the leader
// cut off in between, and its store to follow at once, that store would hold records which the
// cluster never had. So no applier loads such a snapshot before the commit index has reached it. When a
// later leader has written another entry at its index instead, the snapshot is as if it were not there;
// since the running hashicorp/raft still counts on it, the node has to be started again.

// ErrRestoreUndone is why a node ends that has to be opened again at once: leadership was lost while a
// backup was being restored, and the cluster went on without the restore.
var ErrRestoreUndone = errors.New("the cluster went on without the backup that this node was restoring; start this node again")

var errUndecided = errors.New("a backup was being restored, and whether the cluster has it is not known until a leader is")

// superseded looks for an entry of a later term. One of an earlier term is a leftover that the
// snapshot covers.
func (s *snapshotStore) superseded(meta *raft.SnapshotMeta) bool {
	var log raft.Log
	return s.logs.GetLog(meta.Index, &log) == nil && log.Term > meta.Term
}

// removeSuperseded removes the folders of snapshots that count no more, in whose stead hashicorp would
// otherwise remove some that do.
func (s *snapshotStore) removeSuperseded() error {
	metas, err := s.SnapshotStore.List()
	for _, meta := range metas {
		if s.superseded(meta) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.path, meta.ID)))
		}
	}
	return err
}

// noteSnapshot tells the queue, before Raft starts, what the newest snapshot covers: hashicorp/raft
// will hand over nothing of it.
func (n *Node) noteSnapshot() error {
	meta, err := newestSnapshot(n.stores.snapshots)
	if errors.Is(err, errNoSnapshot) {
		return nil
	}
	if err != nil {
		return err
	}
	if n.isRestored(meta) {
		n.fsm.queue.pushRestore(meta.Index, true)
	} else {
		n.fsm.queue.startAt(meta.Index)
	}
	return nil
}

// isRestored takes a snapshot that cannot be read for one of the usual kind: whether it is needed,
// the applier will see.
func (n *Node) isRestored(meta *raft.SnapshotMeta) bool {
	_, stream, err := n.stores.snapshots.Open(meta.ID)
	if err != nil {
		n.cfg.Log.Warn("the newest snapshot is damaged", "snapshot", meta.ID, "err", err)
		return false
	}
	defer func() { _ = stream.Close() }() // it was only read
	restored, err := isRestored(stream)
	return err == nil && restored
}

// decideRestore finds out whether an undecided snapshot counts. Until index is committed nothing is
// applied: what comes before it in the log may be undone together with it.
func (a *applier) decideRestore(index uint64) (moved bool, err error) {
	if a.committed() < index {
		return false, nil
	}
	meta, err := newestSnapshot(a.fsm.snapshots) // after the commit index: a later leader's entry is in the log by now
	if err != nil && !errors.Is(err, errNoSnapshot) {
		return false, err
	}
	if err != nil || meta.Index < index {
		return false, ErrRestoreUndone
	}
	a.queue.decide()
	return true, nil
}

// newestDecided gives the newest snapshot, or errUndecided while that one may still be undone.
func (a *applier) newestDecided() (*raft.SnapshotMeta, error) {
	undecided, committed := a.queue.undecidedIndex(), a.committed()
	meta, err := newestSnapshot(a.fsm.snapshots)
	if err == nil && meta.Index == undecided && committed < undecided {
		return nil, errUndecided
	}
	return meta, err
}
