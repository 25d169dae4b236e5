package dao

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"versiond/model"
)

const stateColumns = "cluster_id, node_id, store_id, applied_index, applied_term, restoring, checksum, shape, seal"

// State reads the state row. It returns model.ErrNoState when the row, its table or the database is
// missing, also when the account may see nothing of the database: EnsureSchema then says what to do. With
// model.ErrStoreDiffers it gives what can be read of a row that no node has written like that: whose it is,
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

// selectState reads the only row there may be. A second one is a difference, and the first one is told.
func selectState(tx *gorm.DB) (s model.StoreState, err error) {
	rows, err := tx.Raw("SELECT id, " + stateColumns + " FROM versiond_state ORDER BY id LIMIT 2").Rows()
	if err != nil {
		return s, err
	}
	defer rows.Close()
	if !rows.Next() {
		return s, cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	var id int
	err = scan(tx.Statement.Context, rows, &id, &s.Cluster, &s.Node, &s.Store, &s.Applied.Index, &s.Applied.Term, &s.Restoring, &s.Checksum, &s.Shape, &s.Seal)
	if err == nil && (id != 1 || rows.Next()) {
		err = fmt.Errorf("%w: there are other state rows than its own", model.ErrStoreDiffers)
	}
	return s, cmp.Or(err, rows.Err())
}

// selectOwner reads what is left of a state row that cannot be read as a whole, for this cause: the database
// may be somebody else's.
func selectOwner(tx *gorm.DB, cause error) (s model.StoreState, err error) {
	var row map[string]any
	if err := tx.Table("versiond_state").Limit(1).Scan(&row).Error; err != nil && !isReshaped(err) {
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
	if err := tx.Exec("DELETE FROM versiond_state").Error; err != nil {
		return err
	}
	return tx.Exec("INSERT INTO versiond_state (id, "+stateColumns+") VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		s.Cluster, s.Node, s.Store, s.Applied.Index, s.Applied.Term, s.Restoring, string(s.Checksum), s.Shape, s.Seal).Error
}

// moveState makes from to, whose identity and shape stay. It fails when the row is not from in every part.
func moveState(tx *gorm.DB, from, to model.StoreState) error {
	update := tx.Exec("UPDATE versiond_state SET applied_index = ?, applied_term = ?, restoring = ?, checksum = ?, seal = ? "+
		"WHERE id = 1 AND cluster_id = ? AND node_id = ? AND store_id = ? AND applied_index = ? AND applied_term = ? AND restoring = ? "+
		"AND checksum = ? AND shape = ? AND seal = ?",
		to.Applied.Index, to.Applied.Term, to.Restoring, string(to.Checksum), to.Seal,
		from.Cluster, from.Node, from.Store, from.Applied.Index, from.Applied.Term, from.Restoring, string(from.Checksum), from.Shape, from.Seal)
	// This relies on clientFoundRows: MySQL otherwise counts rows that changed, not rows that matched.
	if update.Error == nil && update.RowsAffected == 0 {
		return model.ErrStateMoved
	}
	return update.Error
}
