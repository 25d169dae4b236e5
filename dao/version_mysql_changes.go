package dao

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"versiond/model"
)

const changesPerPage = 1000

// changeColumns are those of scannedChange.targets, the first of which most changes have.
var changeColumns = append([]string{"revision", "op", "id", "version_no", "platform", "changed_at", "changed_by", "was_platform"}, detailColumns...)

const plainChangeColumns = 7

// revisionBytes is how long a revision is in a statement.
const revisionBytes = 20

// changeRow is a model.Change with its time as a column has it.
type changeRow struct {
	model.Change
	ChangedAt moment
}

// insertChanges writes changes that are new. One that is there already, because the answer to the first try was lost, is
// left to what comes after it, which fails then. Past GORM, by a statement that is written out, it would take 1 µs less of the 26 µs
// of processor time that a write takes in a transaction of 16 on SQLite, and 3 µs less of 55 to 70 with a server: about 2 % of a whole write.
func insertChanges(tx *gorm.DB, list []model.Change) error {
	rows := make([]changeRow, len(list))
	plain := true
	for i := range list {
		rows[i] = changeRow{Change: list[i], ChangedAt: moment(list[i].At)}
		plain = plain && list[i].Details == nil && list[i].WasPlatform == ""
	}
	if plain {
		tx = tx.Select(changeColumns[:plainChangeColumns])
	}
	return inStatements(tx, rows, changeBytes, func(part []changeRow) *gorm.DB {
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(part)
	})
}

func changeBytes(c changeRow) int {
	return len(momentForm) + len(c.ID) + len(c.VersionNo) + len(c.Platform) + len(c.WasPlatform) + len(c.By) + detailBytes(c.Details)
}

// letGo removes the changes of some revisions.
func letGo(tx *gorm.DB, all model.Range, revisions []uint64) error {
	if err := deleteRange(tx, all, &changeRow{}); err != nil {
		return err
	}
	return deleteEach(tx, "revision IN ?", revisions, func(uint64) int { return revisionBytes }, &changeRow{})
}

// InsertChanges writes changes of the snapshot that is being restored, in one transaction. Writing the same ones again
// changes nothing. It returns model.ErrStateMoved when the table is gone.
func (d *VersionMysqlDao) InsertChanges(ctx context.Context, list []model.Change) error {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return insertChanges(tx, list) })
	return d.translateWrite(ctx, "writing restored changes", err)
}

// ForEachChange calls fn with every change that is kept in their order, in flat memory.
func (d *VersionMysqlDao) ForEachChange(ctx context.Context, fn func(model.Change) error) error {
	return eachPage(func(after uint64) ([]model.Change, error) {
		return d.changesAfter(ctx, d.DB, after, changesPerPage)
	}, func(c model.Change) uint64 { return c.Revision }, fn)
}

// ChangesFrom returns the revision after which all changes are kept at the view's moment, 0 while none are.
func (v *View) ChangesFrom() uint64 { return v.state.ChangesFrom }

// ChangesAfter returns up to limit changes with revisions above revision, in their order, as of the view's moment. Of
// those up to ChangesFrom some may be missing.
func (v *View) ChangesAfter(ctx context.Context, revision uint64, limit int) ([]model.Change, error) {
	return v.dao.changesAfter(ctx, v.tx, revision, limit)
}

// ChangesAt returns the changes with some revisions, in no certain order, as of the view's moment. What is not there is not in
// the answer. There is no index by which those of one id are found: it would make writes a tenth slower (docs/adr/0019).
func (v *View) ChangesAt(ctx context.Context, revisions []uint64) (list []model.Change, err error) {
	for part := range slices.Chunk(revisions, idsPerStatementMax) {
		found, err := v.dao.changes(ctx, v.tx.WithContext(ctx).Where("revision IN ?", part))
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func (d *VersionMysqlDao) changesAfter(ctx context.Context, tx *gorm.DB, revision uint64, limit int) ([]model.Change, error) {
	return d.changes(ctx, tx.WithContext(ctx).Where("revision > ?", revision).Order("revision").Limit(limit))
}

func (d *VersionMysqlDao) changes(ctx context.Context, tx *gorm.DB) (list []model.Change, err error) {
	err = scanRows(tx.Model(&changeRow{}).Select(changeColumns), func(c *scannedChange) error {
		change, err := c.change()
		list = append(list, change)
		return err
	})
	return list, d.translate(ctx, "reading changes", err)
}
