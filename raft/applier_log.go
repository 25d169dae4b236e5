package raft

import (
	"context"
	"errors"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
)

// readLog goes on where the queue has nothing: with entries that the queue let go, which the Raft
// log still holds, and with committed entries that hashicorp/raft never hands to an FSM.
func (a *applier) readLog(ctx context.Context) (bool, error) {
	end, mayHoldCommands := a.logEnd()
	if end <= a.applied.Index {
		return false, nil
	}
	entries, err := a.readEntries(end, mayHoldCommands)
	if errors.Is(err, raftlog.ErrReopening) {
		return false, nil // its disk failed; it will be opened again
	}
	if errors.Is(err, raft.ErrLogNotFound) {
		return true, a.restoreNewest(ctx)
	}
	if err != nil || len(entries) == 0 {
		return false, err
	}
	return true, a.apply(ctx, entries)
}

// logEnd returns how far the log may be read. Up to what the FSM was handed everything may be taken.
// Beyond that only entries without commands are: the others are on their way, with handles.
//
// While a snapshot is to be restored nothing is: what lies before its index may be entries that were never
// committed.
func (a *applier) logEnd() (end uint64, mayHoldCommands bool) {
	committed := a.committed() // before the look for a restore, which moves it on
	told := a.queue.marked()
	if told.restore > a.applied.Index {
		return 0, false
	}
	end = told.handed
	if first, ok := a.queue.firstAfter(a.applied.Index); ok {
		end = first - 1
	}
	if end > a.applied.Index {
		return end, true
	}
	return committed, false
}

// readEntries reads what follows the applied index, within the bounds of one transaction.
func (a *applier) readEntries(end uint64, mayHoldCommands bool) ([]entry, error) {
	var entries []entry
	bytes := 0
	for index := a.applied.Index + 1; index <= end && len(entries) < applyEntriesMax && bytes < applyBytesMax; index++ {
		e, err := readEntry(a.logs, index)
		if err != nil {
			if len(entries) > 0 {
				break
			}
			return nil, err
		}
		if e.data != nil && !mayHoldCommands || !a.queue.allows(index) {
			break
		}
		bytes += len(e.data)
		entries = append(entries, e)
	}
	return entries, nil
}

func readEntry(logs raft.LogStore, index uint64) (entry, error) {
	log, err := raftlog.ReadEntry(logs, index)
	return entryOf(&log), err
}

func entryOf(log *raft.Log) entry {
	e := entry{position: model.Position{Index: log.Index, Term: log.Term}}
	if log.Type == raft.LogCommand {
		e.data = log.Data
	}
	return e
}

// allows reports whether the applier may pass index before it opens a waiting snapshot view.
func (q *queue) allows(index uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mayPass(index)
}
