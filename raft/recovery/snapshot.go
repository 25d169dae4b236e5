package recovery

import (
	"context"
	"errors"
	"fmt"

	hashicorp "github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
)

// recoveryGap is how many log indexes a recovered cluster leaves out. The nodes that are gone may have
// had entries that the survivor lacks, and clients may still know the revisions that those made: an
// If-Match must not take another record for one of them. It is a month of 100 entries a second; of
// the indexes of which revisions stay exact in JavaScript, it leaves enough for 8,000 recoveries.
const recoveryGap = 1 << 28

// writeSnapshot writes the snapshot with which the cluster begins, and reads it back.
func (cfg *Config) writeSnapshot(ctx context.Context, plan Plan, snapshots hashicorp.SnapshotStore, view raft.View) error {
	_, transport := hashicorp.NewInmemTransport(hashicorp.ServerAddress(cfg.Address))
	begin := plan.Last.Index + recoveryGap
	sink, err := snapshots.Create(hashicorp.SnapshotVersionMax, begin, plan.Last.Term, raft.Alone(plan.Node, cfg.Address), 1, transport)
	if err != nil {
		return fmt.Errorf("make a snapshot: %w", err)
	}
	if err := snapshot.Write(ctx, sink, laterView{view, begin}); err != nil {
		return fmt.Errorf("write the snapshot: %w", errors.Join(err, sink.Cancel()))
	}
	if err := sink.Close(); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	cfg.reached("snapshot written")
	return checkNewest(snapshots, plan.Records)
}

// laterView has what is kept of changes count as history alone: whoever watched may have seen some that are lost with the
// nodes that are gone, and has to begin anew.
type laterView struct {
	raft.View
	begin uint64
}

// ChangesFrom returns the revision with which the cluster begins, 0 while no changes are kept.
func (v laterView) ChangesFrom() uint64 {
	if v.View.ChangesFrom() == 0 {
		return 0
	}
	return model.Revision(v.begin, 0)
}

// checkNewest reads the newest snapshot to its end.
func checkNewest(snapshots hashicorp.SnapshotStore, records uint64) error {
	meta, err := raftlog.NewestSnapshot(snapshots)
	if err != nil {
		return err
	}
	reader, err := raftlog.OpenSnapshot(snapshots, meta.ID)
	if err != nil {
		return err
	}
	for err == nil {
		_, err = reader.NextRecord()
	}
	if snapshot.IsEnd(err) {
		err = nil
	}
	if err == nil && reader.Rows() != records {
		err = fmt.Errorf("%w: the new snapshot holds %d records, not %d", model.ErrCorrupt, reader.Rows(), records)
	}
	return errors.Join(err, reader.Close())
}

// countStored counts the records of a service's store.
func countStored(ctx context.Context, service raft.VersionServiceInterface) (uint64, error) {
	view, err := service.OpenViewInternal(ctx)
	if err != nil {
		return 0, err
	}
	records, err := countRecords(ctx, view)
	return records, errors.Join(err, view.Close())
}

func countRecords(ctx context.Context, view raft.View) (count uint64, err error) {
	for after := ""; ; {
		page, err := view.Page(ctx, after, snapshot.PageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		count += uint64(len(page))
		after = page[len(page)-1].ID
	}
}
