package dao

import (
	"context"
	"slices"

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

// DeleteAll removes every record, dedup record and change, in batches of which each is a transaction. It uses no DDL, which
// would wait for open read views to end. It belongs between BeginRestore and FinishRestore, and
// returns model.ErrStateMoved when the tables are gone.
func (d *VersionMysqlDao) DeleteAll(ctx context.Context) error {
	tx := d.DB.WithContext(ctx)
	err := deleteRows[dedupRow, int64](tx, "revision")
	if err == nil {
		err = deleteRows[changeRow, int64](tx, "revision")
	}
	if err == nil {
		err = deleteRows[model.Version, string](tx, "id")
	}
	return d.translateWrite(ctx, "clearing the records", err)
}

// deleteRows removes all rows of a table in batches, from the lowest key on. Of the rows it reads keys alone, as nothing else
// of them need be readable any more. Without the lower bound each step would walk again over what MySQL has not purged yet.
func deleteRows[Row, Key any](tx *gorm.DB, column string) error {
	for left := tx.Where("1 = 1").Session(&gorm.Session{}); ; {
		var next []Key
		if err := left.Model(new(Row)).Order(column).Offset(rowsPerClearMax).Limit(1).Pluck(column, &next).Error; err != nil {
			return err
		}
		if len(next) == 0 {
			return left.Delete(new(Row)).Error
		}
		if err := left.Where(column+" < ?", next[0]).Delete(new(Row)).Error; err != nil {
			return err
		}
		left = tx.Where(column+" >= ?", next[0]).Session(&gorm.Session{})
	}
}

// InsertBatch writes records of the snapshot that is being restored, in one transaction. Writing the
// same records again changes nothing. It returns model.ErrStateMoved when the tables are gone.
func (d *VersionMysqlDao) InsertBatch(ctx context.Context, versions []model.Version) error {
	plain := !slices.ContainsFunc(versions, func(v model.Version) bool { return v.Details != nil })
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return upsertVersions(tx, versions, plain) })
	return d.translateWrite(ctx, "writing restored records", err)
}

// FinishRestore puts the store at position at, where all of it has this checksum and the changes after the revision
// changesFrom are kept, and clears the mark. It returns model.ErrStateMoved when the store is not being restored, or not as this identity's.
func (d *VersionMysqlDao) FinishRestore(ctx context.Context, identity model.Identity, at model.Position, checksum model.Checksum, changesFrom uint64) error {
	from := model.StoreState{Identity: identity, Restoring: true}
	if shape := d.shape.Load(); shape != nil {
		from.Shape = *shape
	}
	to := from
	to.Applied, to.Checksum, to.ChangesFrom, to.Restoring = at, checksum, changesFrom, false
	return d.translateWrite(ctx, "finishing a restore", moveState(d.DB.WithContext(ctx), from.Sealed(), to.Sealed()))
}
