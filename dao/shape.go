package dao

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"versiond/model"
)

// The tables, in the order in which they are made.
var tableNames = []string{"versions", "versiond_state", "versiond_memories"}

const quotedTables = "'versions', 'versiond_state', 'versiond_memories'"

// CheckShape looks whether the tables are as this node made them, by what state says of that:
// model.ErrStoreDiffers when they are not.
func (d *VersionMysqlDao) CheckShape(ctx context.Context, state model.StoreState) error {
	const op = "looking at the tables"
	found, err := readShape(d.DB.WithContext(ctx))
	if err != nil {
		return d.translate(ctx, op, err)
	}
	if found != state.Shape {
		return fmt.Errorf("%s: %w: they are not as this node made them", op, model.ErrStoreDiffers)
	}
	d.shape.Store(&found)
	return nil
}

// reshaped says whether the tables are known to be others than this node left.
func (d *VersionMysqlDao) reshaped(ctx context.Context) bool {
	found, err := readShape(d.DB.WithContext(ctx))
	left := d.shape.Load()
	return err == nil && left != nil && found != *left
}

// keepsShape says whether the tables are provably as this node made them, and may stay.
func (d *VersionMysqlDao) keepsShape(ctx context.Context) (bool, error) {
	found, err := readShape(d.DB.WithContext(ctx))
	if err != nil {
		return false, err
	}
	if left := d.shape.Load(); left != nil && *left == found {
		return true, nil
	}
	state, err := readState(d.DB.WithContext(ctx))
	switch {
	case errors.Is(err, model.ErrNoState), errors.Is(err, model.ErrStoreDiffers):
		return false, nil
	case err != nil || state.Shape != found:
		return false, err
	}
	d.shape.Store(&found)
	return true, nil
}

// readShape gives a hash of all that the database says of how the tables are made, with their indexes and
// triggers. What it says may differ between releases of a database; what was made with it is told again alike.
func readShape(tx *gorm.DB) (string, error) {
	sum := sha256.New()
	for _, query := range dialectOf(tx).shapeQueries {
		told, err := tell(tx, query)
		if err != nil && (isDenied(err) || !isMissing(err) && !isReshaped(err)) {
			return "", err
		}
		fmt.Fprintf(sum, "%q\n", told)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// tell gives all that a query finds, as text.
func tell(tx *gorm.DB, query string) (told []string, err error) {
	rows, err := tx.Raw(query).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for _, v := range values {
			told = append(told, v.String)
		}
	}
	return told, rows.Err()
}

func mysqlShapeQueries() []string {
	queries := []string{"SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_statement FROM information_schema.triggers " +
		"WHERE event_object_schema = DATABASE() AND event_object_table IN (" + quotedTables + ") ORDER BY trigger_name"}
	for _, table := range tableNames {
		queries = append(queries, "SHOW CREATE TABLE "+table)
	}
	return queries
}

func sqliteShapeQueries() []string {
	return []string{"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE " + sqliteOurs() + " ORDER BY type, name"}
}

const mysqlStanding = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (" + quotedTables + ") ORDER BY table_name"

// sqliteStanding finds an index of another table that has the name of ours, too.
const sqliteStanding = "SELECT name FROM sqlite_master WHERE lower(name) IN (" + quotedTables + ") AND type <> 'trigger' OR " +
	"lower(name) = 'versions_platform' AND lower(tbl_name) <> 'versions' AND type <> 'trigger' ORDER BY name"

func sqliteOurs() string {
	return "lower(tbl_name) IN (" + quotedTables + ") OR lower(name) IN (" + quotedTables + ", 'versions_platform')"
}

// mysqlDropTables takes whatever stands where the tables should. There is no such view where there was a table.
func mysqlDropTables(tx *gorm.DB) error {
	for _, table := range tableNames {
		for _, kind := range []string{"TABLE", "VIEW"} {
			if err := tx.Exec("DROP " + kind + " IF EXISTS " + table).Error; err != nil {
				return err
			}
		}
	}
	return nil
}

// sqliteDropTables drops tables first, with which their indexes and triggers go.
func sqliteDropTables(tx *gorm.DB) error {
	for _, kind := range []string{"table", "view", "index"} {
		var names []string
		if err := tx.Raw("SELECT name FROM sqlite_master WHERE type = ? AND ("+sqliteOurs()+")", kind).Scan(&names).Error; err != nil {
			return err
		}
		for _, name := range names {
			if err := tx.Exec("DROP " + kind + ` "` + strings.ReplaceAll(name, `"`, `""`) + `"`).Error; err != nil {
				return err
			}
		}
	}
	return nil
}

// EnsureSchema makes the database, when CreateDatabase is set, and the tables, unless they are provably as
// this node made them: what stands in their place is dropped. Whose the database is has to be seen before.
func (d *VersionMysqlDao) EnsureSchema(ctx context.Context) error {
	const op = "making the schema"
	if err := d.createDatabase(ctx); err != nil {
		return d.translate(ctx, op, err)
	}
	keeps, err := d.keepsShape(ctx)
	if err == nil && !keeps {
		err = d.makeTables(ctx)
	}
	return d.translate(ctx, op, err)
}

// Standing makes the database, when CreateDatabase is set, and returns the names of what stands where the tables
// should, whoever made it. EnsureSchema may drop all of that.
func (d *VersionMysqlDao) Standing(ctx context.Context) (names []string, err error) {
	const op = "looking for the tables"
	if err := d.createDatabase(ctx); err != nil {
		return nil, d.translate(ctx, op, err)
	}
	tx := d.DB.WithContext(ctx)
	err = tx.Raw(dialectOf(tx).standing).Scan(&names).Error
	return names, d.translate(ctx, op, err)
}

func (d *VersionMysqlDao) createDatabase(ctx context.Context) error {
	if d.CreateDatabase == nil {
		return nil
	}
	return d.CreateDatabase(ctx)
}

func (d *VersionMysqlDao) makeTables(ctx context.Context) error {
	tx := d.DB.WithContext(ctx)
	own := dialectOf(tx)
	if err := own.dropTables(tx); err != nil {
		return err
	}
	for _, statement := range own.tables {
		if err := tx.Exec(statement).Error; err != nil {
			return err
		}
	}
	made, err := readShape(tx)
	if err == nil {
		d.shape.Store(&made)
	}
	return err
}

// scan reads the columns of a row that is there: values that do not fit are none of ours.
func scan(ctx context.Context, rows *sql.Rows, into ...any) error {
	err := rows.Scan(into...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return errors.Join(model.ErrStoreDiffers, err)
}
