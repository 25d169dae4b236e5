package raft

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/wire"
)

// reserveAtOnce bounds the entries that are on their way while revisions are reserved.
const reserveAtOnce = 256

// renumber makes a backup of the same records with revisions that this cluster has never given to
// anything. It takes them from log entries that hold no commands; the leader's alone to do.
func (n *Node) renumber(ctx context.Context, r *raft.Raft, b *Backup) (*Backup, error) {
	indexes, err := reserve(ctx, r, b.Records)
	if err != nil {
		return nil, err
	}
	anew, err := n.cfg.Dir.newSpool()
	if err != nil {
		return nil, err
	}
	if err := anew.copyWith(ctx, b, indexes); err != nil {
		return nil, errors.Join(fmt.Errorf("give the backup's records new revisions: %w", err), anew.Close())
	}
	return anew, nil
}

// reserve gives the indexes of committed entries that make no revisions themselves, enough for so
// many records.
func reserve(ctx context.Context, r *raft.Raft, records uint64) ([]uint64, error) {
	entry := wire.AppendUnits(nil, nil)
	needed := int((records + model.CommandsPerEntryMax - 1) / model.CommandsPerEntryMax)
	indexes := make([]uint64, 0, needed)
	for len(indexes) < needed && ctx.Err() == nil {
		futures := make([]raft.ApplyFuture, min(reserveAtOnce, needed-len(indexes)))
		for i := range futures {
			futures[i] = r.Apply(entry, enqueueTimeout)
		}
		for _, future := range futures {
			if err := future.Error(); err != nil {
				return nil, fmt.Errorf("%w: %w", model.ErrNotLeader, err) // whatever became of the entries, they change nothing
			}
			indexes = append(indexes, future.Index())
		}
	}
	return indexes, ctx.Err()
}

func (b *Backup) copyWith(ctx context.Context, from *Backup, indexes []uint64) (err error) {
	reader, err := newSnapshotReader(io.NopCloser(from.snapshot()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.close()) }()
	if err := writeSnapshot(ctx, b.file, &renumbered{reader: reader, indexes: indexes}); err != nil {
		return err
	}
	b.Header, b.Records = from.Header, from.Records
	b.size, err = b.file.Seek(0, io.SeekCurrent)
	return err
}

// renumbered is a View of the records that a reader gives, from the first to the last.
type renumbered struct {
	reader  *snapshotReader
	indexes []uint64
	given   int
	ended   bool
}

// Page gives the records that follow those of the page before.
func (v *renumbered) Page(ctx context.Context, _ string, limit int) ([]model.Version, error) {
	page := make([]model.Version, 0, limit)
	for len(page) < limit && !v.ended {
		record, err := v.reader.NextRecord()
		if isEnd(err) {
			v.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		record.Revision = model.Revision(v.indexes[v.given/model.CommandsPerEntryMax], v.given%model.CommandsPerEntryMax)
		v.given++
		page = append(page, record)
	}
	return page, ctx.Err()
}

// Memories gives none. What is remembered under a key has revisions too, which mean nothing here, and most
// of them are of records that are no more.
func (v *renumbered) Memories(context.Context, uint64, int) ([]model.Memory, error) { return nil, nil }

// Close does nothing: the reader is its owner's.
func (v *renumbered) Close() error { return nil }
