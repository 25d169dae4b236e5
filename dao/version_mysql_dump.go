package dao

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"gorm.io/gorm"
)

// dumpRowsMax is how many rows one INSERT of a dump has: few enough for any packet limit.
const dumpRowsMax = 200

// Dump writes every table of the database, as of one moment, as SQL that makes them again: what the
// mysql client reads. Only for MySQL; a SQLite database is a file that can be copied. It holds one row
// in memory at a time.
func (d *VersionMysqlDao) Dump(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return dumpTables(tx, buffered) }, options)
	return errors.Join(translate(ctx, "dumping the database", err), buffered.Flush())
}

func dumpTables(tx *gorm.DB, w io.Writer) error {
	var tables []string
	if err := tx.Raw("SHOW TABLES").Scan(&tables).Error; err != nil {
		return err
	}
	fmt.Fprint(w, "SET NAMES utf8mb4;\n")
	for _, table := range tables {
		if err := dumpTable(tx, w, table); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	_, err := fmt.Fprint(w, "-- end of the dump\n")
	return err
}

func dumpTable(tx *gorm.DB, w io.Writer, table string) error {
	var name, create string
	quoted := "`" + strings.ReplaceAll(table, "`", "``") + "`"
	if err := tx.Raw("SHOW CREATE TABLE "+quoted).Row().Scan(&name, &create); err != nil {
		return err
	}
	fmt.Fprintf(w, "DROP TABLE IF EXISTS %s;\n%s;\n", quoted, create)
	rows, err := tx.Raw("SELECT * FROM " + quoted).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	return dumpRows(rows, w, quoted)
}

func dumpRows(rows *sql.Rows, w io.Writer, table string) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	values, into := make([]sql.RawBytes, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	written := 0
	for ; rows.Next(); written++ {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		switch {
		case written == 0:
			fmt.Fprintf(w, "INSERT INTO %s VALUES\n", table)
		case written%dumpRowsMax == 0:
			fmt.Fprintf(w, ";\nINSERT INTO %s VALUES\n", table)
		default:
			fmt.Fprint(w, ",\n")
		}
		if _, err := fmt.Fprint(w, "("+strings.Join(literals(values, types), ", ")+")"); err != nil {
			return err
		}
	}
	if written > 0 {
		fmt.Fprint(w, ";\n")
	}
	return rows.Err()
}

// literals writes numbers as they are and everything else byte by byte, whatever it holds.
func literals(values []sql.RawBytes, types []*sql.ColumnType) []string {
	all := make([]string, len(values))
	for i, value := range values {
		switch {
		case value == nil:
			all[i] = "NULL"
		case strings.HasSuffix(types[i].DatabaseTypeName(), "INT"):
			all[i] = string(value)
		case len(value) == 0:
			all[i] = "''"
		default:
			all[i] = "X'" + hex.EncodeToString(value) + "'"
		}
	}
	return all
}
