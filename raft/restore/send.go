package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/failpoint"
	"versiond/model"
	"versiond/raft/snapshot"
)

const (
	// chunkBytes is how much of a backup one log entry holds. Hashicorp/raft keeps the last entries in
	// memory, and sends a follower that catches up so many of them at once that on a slow line few would arrive in
	// time: so it is less than what an entry may hold.
	chunkBytes = 32 << 10
	// abandonTimeout bounds the attempt to tell the cluster that a restore will not go on; it lapses anyway.
	abandonTimeout = 2 * time.Second
)

// Proposer proposes the steps of a restore, on the leader. After model.ErrOutcomeUnknown a step may come to be all the
// same.
type Proposer interface {
	// ProposeStep returns the outcome of a step once this node has applied it.
	ProposeStep(ctx context.Context, step model.RestoreStep) (model.Outcome, error)
	// ProposeAlone does so once no write is on its way, and keeps writes back until then.
	ProposeAlone(ctx context.Context, step model.RestoreStep) (model.Outcome, error)
}

// Sender is what the leader has proposed of a restore.
type Sender struct {
	Proposer Proposer
	Backup   *snapshot.Backup
	Foreign  bool   // its records are to get new revisions
	Begin    uint64 // the index of the step with which it begins; 0 before
}

// Run puts the records of the backup in the place of all records, on every node, and returns the index of the entry
// with which that is done.
func (r *Sender) Run(ctx context.Context) (uint64, error) {
	if err := r.Send(ctx); err != nil {
		r.Abandon(ctx)
		return 0, nothingChanged(ctx, err)
	}
	return r.Commit(ctx)
}

// Send proposes everything but the commit.
func (r *Sender) Send(ctx context.Context) error {
	b := r.Backup
	begun, err := r.Proposer.ProposeStep(ctx, model.RestoreStep{
		Type: model.CommandRestoreBegin, Records: b.Records, Bytes: uint64(b.Size), Checksum: b.Sum, Foreign: r.Foreign,
	})
	if err != nil {
		return err
	}
	r.Begin = model.IndexOf(begun.Revision)
	failpoint.Here(failpoint.RestoreBegun)
	parts := r.parts()
	for i := range parts {
		if err := r.sendPart(ctx, i, parts); err != nil {
			return err
		}
		failpoint.Here(failpoint.RestoreChunked)
	}
	return nil
}

// parts returns how many entries the backup is cut into: each gives revisions to so many foreign records.
func (r *Sender) parts() int64 {
	parts := (r.Backup.Size + chunkBytes - 1) / chunkBytes
	if r.Foreign {
		parts = max(parts, entriesFor(r.Backup.Records))
	}
	return parts
}

// entriesFor returns how many entries are enough for the revisions of so many records.
func entriesFor(records uint64) int64 {
	return int64((records + model.CommandsPerEntryMax - 1) / model.CommandsPerEntryMax)
}

func (r *Sender) sendPart(ctx context.Context, i, of int64) error {
	from, to := r.Backup.Size*i/of, r.Backup.Size*(i+1)/of
	data := make([]byte, to-from)
	if _, err := r.Backup.Snapshot().ReadAt(data, from); err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	_, err := r.Proposer.ProposeStep(ctx, model.RestoreStep{Type: model.CommandRestoreChunk, Begin: r.Begin, Data: data})
	return err
}

// Commit ends the restore, once no write is on its way: none has to wait for the load with an outcome that it may not
// live to see.
func (r *Sender) Commit(ctx context.Context) (uint64, error) {
	failpoint.Here(failpoint.RestoreSent)
	outcome, err := r.Proposer.ProposeAlone(ctx, model.RestoreStep{Type: model.CommandRestoreCommit, Begin: r.Begin})
	switch {
	case errors.Is(err, model.ErrOutcomeUnknown):
		return 0, err
	case err != nil:
		r.Abandon(ctx)
		return 0, err
	case outcome.Code != model.OutcomeDone:
		return 0, fmt.Errorf("%w: the restore was given up, because another one has begun since or because it took too long", model.ErrTooManyRequests)
	}
	return model.IndexOf(outcome.Revision), nil
}

// Abandon lets the cluster go on without the restore at once.
func (r *Sender) Abandon(ctx context.Context) {
	if r.Begin == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	_, _ = r.Proposer.ProposeStep(ctx, model.RestoreStep{Type: model.CommandRestoreAbort, Begin: r.Begin}) // it lapses otherwise
}

// nothingChanged translates the error of a restore that was not to be committed.
func nothingChanged(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w (%v)", model.ErrTimeout, err) // %v: the outcome is certain
	case errors.Is(err, model.ErrOutcomeUnknown):
		return fmt.Errorf("%w (%v)", model.ErrNotLeader, err) // %v: the same
	}
	return err
}
