package raft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"versiond/failpoint"
	"versiond/model"
	"versiond/raft/snapshot"
	"versiond/wire"
)

const (
	// restoreChunkBytes is how much of a backup one log entry holds. Hashicorp/raft keeps the last entries in
	// memory, and sends a follower that catches up so many of them at once that on a slow line few would arrive in
	// time: so it is less than what an entry may hold.
	restoreChunkBytes = 32 << 10
	// abandonTimeout bounds the attempt to tell the cluster that a restore will not go on; it lapses anyway.
	abandonTimeout = 2 * time.Second
)

// Restore puts the records of a backup in the place of all records, on every node, and gives the log
// index from which on they are; this node has applied it by then. Leader only. Of another cluster's
// backup it takes the records only if foreign is set.
//
// The backup goes through the log: an entry that begins the restore, its parts, which change nothing, and
// an entry that commits it. With that one, every node loads it from its own log (open_restore.go).
//
// Records of this cluster keep their revisions. All others get new ones: the same revision may have
// been another content here, and somebody's If-Match or a cache may still know it.
//
// Errors: model.ErrNotLeader, ErrTimeout, *model.ValidationError, and ErrTooManyRequests while another one goes
// on, after which nothing was changed, and model.ErrOutcomeUnknown. The backup is the caller's to close.
func (n *Node) Restore(ctx context.Context, b *snapshot.Backup, foreign bool) (uint64, error) {
	running := n.current()
	if running == nil || !n.leads(running) {
		return 0, model.ErrNotLeader
	}
	ours := n.Identity().Cluster
	if b.Header.Cluster != ours && !foreign {
		return 0, &model.ValidationError{Fields: []model.FieldError{{Field: "foreign", Detail: fmt.Sprintf(
			"must be true to restore a backup of another cluster: this is cluster %s, the backup is of %s", ours, b.Header.Cluster)}}}
	}
	if !n.restoring.TryLock() {
		return 0, fmt.Errorf("%w: another backup is being restored", model.ErrTooManyRequests)
	}
	defer n.restoring.Unlock()
	n.cfg.Log.Warn("restoring a backup in the place of all records", "records", b.Records, "cluster", b.Header.Cluster, "index", b.Header.Index)
	r := restore{proposer: running.proposer, backup: b, step: model.RestoreStep{
		Records: b.Records, Bytes: uint64(b.Size), Foreign: b.Header.Cluster != ours || b.Highest >= model.Revision(running.raft.LastIndex()+1, 0),
	}}
	if err := r.send(ctx); err != nil {
		r.abandon()
		return 0, nothingChanged(ctx, err)
	}
	return r.commit(ctx)
}

// ReceiveBackup receives a backup into the node's data directory, as snapshot.Receive does.
func (n *Node) ReceiveBackup(ctx context.Context, body io.Reader) (*snapshot.Backup, error) {
	return snapshot.Receive(ctx, n.cfg.Dir.Path(), body)
}

// restore is what the leader has proposed of one.
type restore struct {
	proposer *proposer
	backup   *snapshot.Backup
	step     model.RestoreStep // with which it begins
	begin    uint64            // the index of that; 0 before
}

// send proposes everything but the commit.
func (r *restore) send(ctx context.Context) (err error) {
	r.step.Type, r.step.Checksum = model.CommandRestoreBegin, r.backup.Sum
	if r.begin, err = r.proposer.proposeStep(ctx, r.step); err != nil {
		return err
	}
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
func (r *restore) parts() int64 {
	parts := (r.backup.Size + restoreChunkBytes - 1) / restoreChunkBytes
	if r.step.Foreign {
		parts = max(parts, entriesFor(r.step.Records))
	}
	return parts
}

// entriesFor returns how many entries are enough for the revisions of so many records.
func entriesFor(records uint64) int64 {
	return int64((records + model.CommandsPerEntryMax - 1) / model.CommandsPerEntryMax)
}

func (r *restore) sendPart(ctx context.Context, i, of int64) error {
	from, to := r.backup.Size*i/of, r.backup.Size*(i+1)/of
	data := make([]byte, to-from)
	if _, err := r.backup.Snapshot().ReadAt(data, from); err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	_, err := r.proposer.proposeStep(ctx, model.RestoreStep{Type: model.CommandRestoreChunk, Begin: r.begin, Data: data})
	return err
}

// commit ends the restore, once no write is on its way, and keeps writes back until the records are loaded: none
// has to wait for that with an outcome that it may not live to see.
func (r *restore) commit(ctx context.Context) (uint64, error) {
	failpoint.Here(failpoint.RestoreSent)
	if err := r.proposer.writes.Acquire(ctx, writesAtOnce); err != nil {
		r.abandon()
		return 0, nothingChanged(ctx, err)
	}
	done := func() { r.proposer.writes.Release(writesAtOnce) }
	outcome, err := r.proposer.proposeAside(ctx, model.RestoreStep{Type: model.CommandRestoreCommit, Begin: r.begin}, done)
	switch {
	case errors.Is(err, model.ErrOutcomeUnknown):
		return 0, err
	case err != nil:
		r.abandon()
		return 0, err
	case outcome.Code != model.OutcomeDone:
		return 0, fmt.Errorf("%w: the restore was given up, because another one has begun since or because it took too long", model.ErrTooManyRequests)
	}
	return model.IndexOf(outcome.Revision), nil
}

// abandon lets the cluster go on without the restore at once.
func (r *restore) abandon() {
	if r.begin == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(r.proposer.ctx, abandonTimeout)
	defer cancel()
	_, _ = r.proposer.proposeStep(ctx, model.RestoreStep{Type: model.CommandRestoreAbort, Begin: r.begin}) // it lapses otherwise
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

// proposeStep proposes a step and gives the index of its entry.
func (p *proposer) proposeStep(ctx context.Context, step model.RestoreStep) (uint64, error) {
	outcome, err := p.proposeAside(ctx, step, func() {})
	return model.IndexOf(outcome.Revision), err
}

// proposeAside proposes a step of a restore and waits until this node has applied it. done is called then, also when
// the caller has left.
func (p *proposer) proposeAside(ctx context.Context, step model.RestoreStep, done func()) (outcome model.Outcome, err error) {
	if !p.mayLead() {
		done()
		return outcome, model.ErrNotLeader
	}
	settled := make(chan result, 1)
	go func() {
		defer done()
		settled <- p.await(wire.AppendRestoreStep(nil, &step), never) // what is committed will be applied here, whoever leads then
	}()
	select {
	case r := <-settled:
		if r.err != nil {
			return outcome, r.err
		}
		return r.outcomes[0].Outcomes[0], nil
	case <-ctx.Done():
		return outcome, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, ctx.Err())
	}
}

func never() bool { return false }
