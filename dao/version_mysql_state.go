package dao

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"versiond/model"
)

// State reads the state row. It returns model.ErrNoState when the row, its table or the database is
// missing, also when the account may see nothing of the database: EnsureSchema then says what to do.
func (d *VersionMysqlDao) State(ctx context.Context) (model.StoreState, error) {
	state, err := readState(d.DB.WithContext(ctx))
	return state, translate(ctx, "reading the state row", err)
}

const insertStateSQL = "INSERT INTO versiond_state " +
	"(id, cluster_id, node_id, store_id, applied_index, applied_term, restoring) VALUES (1, ?, ?, ?, 0, 0, ?)"

func stateValues(identity model.Identity, restoring bool) []any {
	mark := 0
	if restoring {
		mark = 1
	}
	return []any{identity.Cluster, identity.Node, identity.Store, mark}
}

// readState leaves the translation of errors to its callers, but for a state that is not there.
func readState(tx *gorm.DB) (model.StoreState, error) {
	var s model.StoreState
	err := tx.Raw("SELECT cluster_id, node_id, store_id, applied_index, applied_term, restoring "+
		"FROM versiond_state WHERE id = 1").Row().
		Scan(&s.Cluster, &s.Node, &s.Store, &s.Applied.Index, &s.Applied.Term, &s.Restoring)
	return s, missingIsNoState(err)
}

func missingIsNoState(err error) error {
	if errors.Is(err, sql.ErrNoRows) || schemaMissing(err) || databaseHidden(err) {
		return fmt.Errorf("%w: %w", model.ErrNoState, err)
	}
	return err
}
