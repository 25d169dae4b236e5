package raft

import (
	"context"
	"errors"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/restore"
	"versiond/wire"
)

// Replayer applies the entries of a log to an empty store at once, by the code that decides outcomes on a running node.
type Replayer struct {
	decider
	identity model.Identity // of the store
	stored   model.Position
	waiting  []entry
	bytes    int
	err      error // the first one
}

// NewReplayer returns a Replayer over an empty store, for which it makes up an identity.
func NewReplayer(ctx context.Context, service VersionServiceInterface, logs raft.LogStore, node string) (*Replayer, error) {
	r := &Replayer{decider: decider{service: service, logs: logs}, identity: model.Identity{Cluster: "throwaway", Node: node, Store: "throwaway"}}
	return r, r.Load(ctx, model.Position{}, emptySource{})
}

// Load replaces the records by those of a snapshot at a position.
func (r *Replayer) Load(ctx context.Context, at model.Position, source Source) error {
	r.stored = at
	if err := r.service.RestoreInternal(ctx, r.identity, at, source); err != nil {
		return err
	}
	return r.service.LoadInternal(ctx, r.identity.Cluster)
}

// Apply applies one entry, together with those that follow. What fails comes out of Flush.
func (r *Replayer) Apply(ctx context.Context, log *raft.Log) {
	e := entryOf(log)
	if len(beforeCommit([]entry{e})) == 0 {
		if r.Flush(ctx) == nil {
			r.err = r.commitRestore(ctx, &e)
		}
		return
	}
	r.waiting = append(r.waiting, e)
	r.bytes += len(log.Data)
	if len(r.waiting) == applyEntriesMax || r.bytes >= applyBytesMax {
		_ = r.Flush(ctx) // the error is kept
	}
}

// Flush returns once everything is applied, or the first error that there was.
func (r *Replayer) Flush(ctx context.Context) error {
	if r.err == nil && len(r.waiting) > 0 {
		r.err = r.applyWaiting(ctx)
	}
	r.waiting, r.bytes = r.waiting[:0], 0
	return r.err
}

func (r *Replayer) applyWaiting(ctx context.Context) error {
	_, commands, err := r.decide(r.waiting)
	if err != nil || commands == 0 {
		return err
	}
	last := r.waiting[len(r.waiting)-1].position
	if err := r.service.CommitInternal(ctx, r.identity.Store, r.stored, last); err != nil {
		return err
	}
	r.stored = last
	r.service.PublishInternal()
	return nil
}

// commitRestore loads a backup from the log, as every node does.
func (r *Replayer) commitRestore(ctx context.Context, e *entry) error {
	commit, err := wire.DecodeRestoreStep(e.data)
	if err != nil {
		return raftlog.UnreadableEntry(e.position.Index, err)
	}
	open := r.open
	r.open = open.After(e.position.Index, &commit)
	if !open.Whole(e.position.Index, &commit) {
		return nil
	}
	return open.Load(r.logs, func(source restore.Source) error {
		return errors.Join(r.Load(ctx, e.position, source), source.Close())
	})
}
