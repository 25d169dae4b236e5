package dao

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"versiond/model"
)

// State reads the state row. It returns model.ErrNoState when the row, its table or the database is
// missing, also when the account may see nothing of the database: EnsureSchema then says what to do. With
// model.ErrStoreDiffers it returns what can be read of a row that no node has written like that: whose it is,
// at least, where it says so.
func (d *VersionMysqlDao) State(ctx context.Context) (model.StoreState, error) {
	state, err := readState(d.DB.WithContext(ctx))
	return state, d.translate(ctx, "reading the state row", err)
}

// readState leaves the translation of errors to its callers, but for a state that is not there or not right.
func readState(tx *gorm.DB) (model.StoreState, error) {
	s, err := selectState(tx)
	switch {
	case isMissing(err):
		return s, fmt.Errorf("%w: %w", model.ErrNoState, err)
	case isReshaped(err):
		return selectOwner(tx, fmt.Errorf("%w: %w", model.ErrStoreDiffers, err))
	case errors.Is(err, model.ErrStoreDiffers):
		return selectOwner(tx, err)
	case err == nil && !s.Proven():
		return s, fmt.Errorf("%w: the state row is not as a node has written it", model.ErrStoreDiffers)
	}
	return s, err
}

// selectState reads the only row there may be. A second one is a difference, and the first one is told. The table of a release
// that kept no changes lacks a column.
func selectState(tx *gorm.DB) (s model.StoreState, err error) {
	var rows []stateRow
	if err := tx.Select("*").Order("id").Limit(2).Find(&rows).Error; err != nil {
		return s, err
	}
	if len(rows) == 0 {
		return s, gorm.ErrRecordNotFound
	}
	if rows[0].ID != stateID || len(rows) > 1 {
		err = fmt.Errorf("%w: there are other state rows than its own", model.ErrStoreDiffers)
	}
	return rows[0].StoreState, err
}

// selectOwner reads what is left of a state row that cannot be read as a whole, for this cause: the database
// may be somebody else's.
func selectOwner(tx *gorm.DB, cause error) (s model.StoreState, err error) {
	var row map[string]any
	if err := tx.Table(stateRow{}.TableName()).Limit(1).Scan(&row).Error; err != nil && !isReshaped(err) {
		return s, err
	}
	s.Cluster, s.Node = text(row["cluster_id"]), text(row["node_id"])
	return s, cause
}

// text is empty for what is not there.
func text(value any) string {
	switch v := value.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	}
	return ""
}

// insertState writes a state row in place of all that are there.
func insertState(tx *gorm.DB, s model.StoreState) error {
	if err := tx.Where("1 = 1").Delete(&stateRow{}).Error; err != nil {
		return err
	}
	return tx.Create(&stateRow{ID: stateID, StoreState: s}).Error
}

// moveState makes from to, whose identity and shape stay. It fails when the row is not from in every part. GORM builds
// a condition that is written out in half the time that it takes for one of a struct's eleven fields.
func moveState(tx *gorm.DB, from, to model.StoreState) error {
	update := tx.Model(&stateRow{}).Where("id = ? AND cluster_id = ? AND node_id = ? AND store_id = ? AND applied_index = ? AND applied_term = ? "+
		"AND restoring = ? AND checksum = ? AND changes_from = ? AND shape = ? AND seal = ?",
		stateID, from.Cluster, from.Node, from.Store, from.Applied.Index, from.Applied.Term, from.Restoring, from.Checksum, from.ChangesFrom, from.Shape, from.Seal).
		Select("applied_index", "applied_term", "restoring", "checksum", "changes_from", "seal").UpdateColumns(&stateRow{StoreState: to})
	// This relies on clientFoundRows: MySQL otherwise counts rows that changed, not rows that matched.
	if update.Error == nil && update.RowsAffected == 0 {
		return model.ErrStateMoved
	}
	return update.Error
}
