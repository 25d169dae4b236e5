package dao

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"versiond/model"
)

// quotedTables are the names of the tables for a list of SQL.
var quotedTables = func() string {
	var names []string
	for _, table := range tables {
		names = append(names, "'"+table.TableName()+"'")
	}
	return strings.Join(names, ", ")
}()

// CheckShape looks whether the tables are as this node made them, by what state says of that:
// model.ErrStoreDiffers when they are not.
func (d *VersionMysqlDao) CheckShape(ctx context.Context, state model.StoreState) error {
	const op = "looking at the tables"
	found, err := readShape(d.DB.WithContext(ctx))
	if err != nil {
		return d.translate(ctx, op, err)
	}
	if found != state.Shape {
		return fmt.Errorf("%s: %w: %s", op, model.ErrStoreDiffers, differing(state.Shape, found))
	}
	d.shape.Store(&found)
	return nil
}

// reshaped reports whether the tables are known to be others than this node left.
func (d *VersionMysqlDao) reshaped(ctx context.Context) bool {
	found, err := readShape(d.DB.WithContext(ctx))
	left := d.shape.Load()
	return err == nil && left != nil && found != *left
}

// keepsShape reports whether the tables are provably as this node made them, and may stay.
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

// readShape returns a hash of what the database says of how each table is made, with its indexes, and of the columns that
// this release has in it, and one of the triggers. What it says may differ between releases of a database; what was made
// with it is told again alike. A release of versiond that has other columns takes no table for its own, and makes it anew.
func readShape(tx *gorm.DB) (string, error) {
	var shape strings.Builder
	for i, query := range dialectOf(tx).shapeQueries {
		told, err := tell(tx, query)
		if err == nil && len(told) > 0 && i < len(tables) {
			err = probe(tx, tables[i])
		}
		switch {
		case err != nil && (isDenied(err) || !isMissing(err) && !isReshaped(err)):
			return "", err
		case err != nil && !isMissing(err):
			told = []string{"it cannot be read"}
		}
		if len(told) > 0 && i < len(tables) {
			told = append(told, columnsOf(tables[i])...)
		}
		shape.WriteString(hashOf(told))
	}
	return shape.String(), nil
}

// probe reads from a table: of one whose file is gone MySQL says how it is made all the same.
func probe(tx *gorm.DB, table schema.Tabler) error {
	var one []int
	return tx.Model(table).Select("1").Limit(1).Scan(&one).Error
}

// columnsOf returns the columns that GORM reads and writes of a table.
func columnsOf(table schema.Tabler) []string {
	parsed, err := schema.Parse(table, &schemas, schema.NamingStrategy{})
	if err != nil {
		panic(err) // the rows are this package's own
	}
	return parsed.DBNames
}

var schemas sync.Map

// shapePartLen is the length of a hash in a shape, which has to fit its column.
const shapePartLen = 16

func hashOf(told []string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", told))
	return hex.EncodeToString(sum[:shapePartLen/2])
}

// differing returns what differs between two shapes.
func differing(left, found string) string {
	if len(left) != len(found) {
		return "the tables are not as this node made them"
	}
	var words []string
	for i := 0; i < len(found); i += shapePartLen {
		if part := found[i : i+shapePartLen]; part != left[i:i+shapePartLen] {
			words = append(words, differs(i/shapePartLen, part))
		}
	}
	return strings.Join(words, ", ")
}

func differs(part int, found string) string {
	switch {
	case part == len(tables):
		return "somebody has put a trigger on its tables"
	case found == hashOf(nil):
		return "table " + tables[part].TableName() + " is gone"
	}
	return "table " + tables[part].TableName() + " is not as this node made it"
}

// tell returns all that a query finds, as text.
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
	var queries []string
	for _, table := range tables {
		queries = append(queries, "SHOW CREATE TABLE "+table.TableName())
	}
	return append(queries, "SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_statement FROM information_schema.triggers "+
		"WHERE event_object_schema = DATABASE() AND event_object_table IN ("+quotedTables+") ORDER BY trigger_name")
}

func sqliteShapeQueries() []string {
	const told, order = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE ", " ORDER BY type, name"
	var queries []string
	for _, table := range tables {
		queries = append(queries, told+"type <> 'trigger' AND '"+table.TableName()+"' IN (lower(tbl_name), lower(name))"+order)
	}
	return append(queries, told+"type = 'trigger' AND lower(tbl_name) IN ("+quotedTables+")"+order)
}

var mysqlStanding = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (" + quotedTables + ") ORDER BY table_name"

// sqliteStanding finds an index of another table that has the name of ours, too.
var sqliteStanding = "SELECT name FROM sqlite_master WHERE lower(name) IN (" + quotedTables + ") AND type <> 'trigger' OR " +
	"lower(name) = 'versions_platform' AND lower(tbl_name) <> 'versions' AND type <> 'trigger' ORDER BY name"

func sqliteOurs() string {
	return "lower(tbl_name) IN (" + quotedTables + ") OR lower(name) IN (" + quotedTables + ", 'versions_platform')"
}
