package raft

import (
	"context"
	"log/slog"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
)

// Replay fills the service's store, whose directory is dir, with what the newest snapshot and all entries of the log
// make, committed or not, as a node does at its start. It returns up to where. A store that fails ends it.
func Replay(ctx context.Context, service VersionServiceInterface, stores *raftlog.Stores, dir *datadir.Dir) (model.Position, error) {
	h, err := raftlog.ReadHistory(stores.Log, stores.Snapshots)
	if err != nil {
		return model.Position{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fsm := newVersionFSM(service, stores, endsAtFailure{end: cancel}, newEnding())
	fsm.queue.startAt(h.Last)
	a := &applier{
		decider: decider{service: service, logs: stores.Log}, fsm: fsm, queue: fsm.queue, progress: newProgress(),
		committed: func() uint64 { return h.Last }, dir: dir, log: slog.New(slog.DiscardHandler),
	}
	err = a.reconcile(ctx)
	for err == nil && a.applied.Index < h.Last {
		var moved bool
		if moved, err = a.readLog(ctx); err == nil && !moved {
			err = errNoHistory
		}
	}
	if failure := a.progress.StoreFailure(); err != nil && failure != nil {
		err = failure
	}
	return a.applied, err
}

// endsAtFailure ends what applies entries to a store that fails, which would try again for ever.
type endsAtFailure struct {
	unobserved
	end func()
}

// StoreFailed ends it.
func (e endsAtFailure) StoreFailed() { e.end() }
