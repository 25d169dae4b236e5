package dao

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"versiond/model"
)

// rowsPerClearMax keeps each transaction of DeleteAll short.
const rowsPerClearMax = 5000

// BeginRestore makes what is missing of the schema and marks the store as being restored, as this
// identity's and at position zero, whatever it was before. From then on the records are of no use
// until FinishRestore; Apply refuses. A restore that was interrupted begins here again.
func (d *VersionMysqlDao) BeginRestore(ctx context.Context, identity model.Identity) error {
	if err := d.EnsureSchema(ctx); err != nil {
		return err
	}
	state := model.StoreState{Identity: identity, Shape: *d.shape.Load(), Restoring: true}
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return insertState(tx, state.Sealed()) })
	return d.translateWrite(ctx, "beginning a restore", err)
}

// DeleteAll removes every record and memory, in batches of which each is a transaction. It uses no DDL, which
// would wait for open read views to end. It belongs between BeginRestore and FinishRestore, and
// returns model.ErrStateMoved when the tables are gone.
func (d *VersionMysqlDao) DeleteAll(ctx context.Context) error {
	const op = "clearing the records"
	tx := d.DB.WithContext(ctx)
	if err := deleteAllMemories(tx); err != nil {
		return d.translateWrite(ctx, op, err)
	}
	after := ""
	for {
		last, err := batchEnd(tx, after)
		if errors.Is(err, sql.ErrNoRows) {
			return d.translateWrite(ctx, op, tx.Exec("DELETE FROM versions WHERE id >= ?", after).Error)
		}
		if err != nil {
			return d.translateWrite(ctx, op, err)
		}
		if err := tx.Exec("DELETE FROM versions WHERE id >= ? AND id <= ?", after, last).Error; err != nil {
			return d.translateWrite(ctx, op, err)
		}
		after = last
	}
}

// batchEnd gives the id at which the batch after after ends; sql.ErrNoRows when no whole batch is
// left. Without the lower bound each step would walk again over what MySQL has not purged yet.
func batchEnd(tx *gorm.DB, after string) (last string, err error) {
	err = tx.Raw("SELECT id FROM versions WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", after, rowsPerClearMax-1).Row().Scan(&last)
	return last, err
}

// InsertBatch writes records of the snapshot that is being restored, in one transaction. Writing the
// same records again changes nothing. It returns model.ErrStateMoved when the tables are gone.
func (d *VersionMysqlDao) InsertBatch(ctx context.Context, versions []model.Version) error {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return upsertVersions(tx, versions) })
	return d.translateWrite(ctx, "writing restored records", err)
}

// FinishRestore puts the store at position at, where the records have this checksum, and clears the
// mark. It returns model.ErrStateMoved when the store is not being restored, or not as this identity's.
func (d *VersionMysqlDao) FinishRestore(ctx context.Context, identity model.Identity, at model.Position, checksum model.Checksum) error {
	from := model.StoreState{Identity: identity, Restoring: true}
	if shape := d.shape.Load(); shape != nil {
		from.Shape = *shape
	}
	to := from
	to.Applied, to.Checksum, to.Restoring = at, checksum, false
	return d.translateWrite(ctx, "finishing a restore", moveState(d.DB.WithContext(ctx), from.Sealed(), to.Sealed()))
}
