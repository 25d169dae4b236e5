package raft

import (
	"context"
	"fmt"
	"io"

	"versiond/model"
	"versiond/raft/restore"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// Restore puts the records of a backup in the place of all records, on every node, and returns the log
// index from which on they are; this node has applied it by then. Leader only. Of another cluster's
// backup it takes the records only if foreign is set.
//
// The backup goes through the log: an entry that begins the restore, its parts, which change nothing, and
// an entry that commits it. With that one, every node loads it from its own log (package restore).
//
// Records of this cluster keep their revisions. All others get new ones: the same revision may have
// been another content here, and somebody's If-Match or a cache may still know it.
//
// Errors: model.ErrNotLeader, ErrTimeout, *model.ValidationError, and ErrTooManyRequests while another one goes
// on, after which nothing was changed, and model.ErrOutcomeUnknown. The backup is the caller's to close.
func (n *Node) Restore(ctx context.Context, b *snapshot.Backup, foreign bool) (uint64, error) {
	running := n.current()
	if running == nil || !running.leads() {
		return 0, model.ErrNotLeader
	}
	ours := n.Identity().Cluster
	if b.Header.Cluster != ours && !foreign {
		return 0, model.Invalid("foreign", fmt.Sprintf(
			"must be true to restore a backup of another cluster: this is cluster %s, the backup is of %s", ours, b.Header.Cluster))
	}
	if b.Changes && !n.KeepsChanges() {
		return 0, &model.ValidationError{Fields: []model.FieldError{{Field: "body", Detail: "has the history of its records, at which a node of a release before would stop; " +
			"let every member of the cluster run this release, and restore it then"}}}
	}
	if !n.restoring.TryLock() {
		return 0, fmt.Errorf("%w: another backup is being restored", model.ErrTooManyRequests)
	}
	defer n.restoring.Unlock()
	n.cfg.Log.Warn("restoring a backup in the place of all records", "records", b.Records, "cluster", b.Header.Cluster, "index", b.Header.Index)
	r := restore.Sender{
		Proposer: running.proposer, Backup: b, Foreign: b.Header.Cluster != ours || b.Highest >= model.Revision(running.raft.LastIndex()+1, 0),
	}
	return r.Run(ctx)
}

// ReceiveBackup receives a backup into the node's data directory, as snapshot.Receive does.
func (n *Node) ReceiveBackup(ctx context.Context, body io.Reader) (*snapshot.Backup, error) {
	return snapshot.Receive(ctx, n.cfg.Dir.Path(), body)
}

// ProposeStep proposes a step of a restore and returns its outcome.
func (p *proposer) ProposeStep(ctx context.Context, step model.RestoreStep) (model.Outcome, error) {
	return p.proposeEntry(ctx, wire.AppendRestoreStep(nil, &step), func() {})
}

// ProposeAlone proposes a step of a restore once no write is on its way, and keeps writes back until it is applied.
func (p *proposer) ProposeAlone(ctx context.Context, step model.RestoreStep) (outcome model.Outcome, err error) {
	if err := p.writes.Acquire(ctx, writesAtOnce); err != nil {
		return outcome, fmt.Errorf("%w (%v)", model.ErrTimeout, err) // %v: the outcome is certain
	}
	return p.proposeEntry(ctx, wire.AppendRestoreStep(nil, &step), func() { p.writes.Release(writesAtOnce) })
}
