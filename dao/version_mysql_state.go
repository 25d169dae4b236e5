package dao

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

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
	"(id, cluster_id, node_id, store_id, applied_index, applied_term, restoring, checksum) VALUES (1, ?, ?, ?, 0, 0, ?, NULL)"

func stateValues(identity model.Identity, restoring bool) []any {
	mark := 0
	if restoring {
		mark = 1
	}
	return []any{identity.Cluster, identity.Node, identity.Store, mark}
}

// readState leaves the translation of errors to its callers, but for a state that is not there. It
// reads the state of an older release too, and changes nothing: the database may be somebody else's.
func readState(tx *gorm.DB) (model.StoreState, error) {
	s, err := selectState(tx, "checksum")
	if columnMissing(err) {
		s, err = selectState(tx, "NULL")
	}
	return s, missingIsNoState(err)
}

func selectState(tx *gorm.DB, checksumColumn string) (s model.StoreState, err error) {
	var checksum sql.NullString
	err = tx.Raw("SELECT cluster_id, node_id, store_id, applied_index, applied_term, restoring, "+checksumColumn+
		" FROM versiond_state WHERE id = 1").Row().
		Scan(&s.Cluster, &s.Node, &s.Store, &s.Applied.Index, &s.Applied.Term, &s.Restoring, &checksum)
	s.Checksum = checksumAt(s.Applied.Index, checksum.String)
	return s, err
}

// checksumColumn puts the index before the checksum: a release that does not know of checksums moves
// the index alone, and leaves one that is no longer meant.
func checksumColumn(index uint64, checksum model.Checksum) string {
	return fmt.Sprintf("%d %s", index, checksum)
}

func checksumAt(index uint64, column string) model.Checksum {
	at, checksum, _ := strings.Cut(column, " ")
	if at != strconv.FormatUint(index, 10) {
		return ""
	}
	return model.Checksum(checksum)
}

// SetChecksum stores the checksum of the records at at where a release that knows of none has stored
// them. It returns model.ErrStateMoved when the state row of this store is not at at.
func (d *VersionMysqlDao) SetChecksum(ctx context.Context, store string, at model.Position, checksum model.Checksum) error {
	if err := d.EnsureSchema(ctx); err != nil {
		return err
	}
	err := mustMatch(d.DB.WithContext(ctx).Exec("UPDATE versiond_state SET checksum = ? "+
		"WHERE id = 1 AND store_id = ? AND applied_index = ? AND applied_term = ? AND restoring = 0",
		checksumColumn(at.Index, checksum), store, at.Index, at.Term))
	return translateWrite(ctx, "storing a checksum", err)
}

func missingIsNoState(err error) error {
	if errors.Is(err, sql.ErrNoRows) || schemaMissing(err) || databaseHidden(err) {
		return fmt.Errorf("%w: %w", model.ErrNoState, err)
	}
	return err
}
