// Package dao reads and writes a node's records: the database behind VersionMysqlDao, which is the
// truth, and the caches VersionRedisDao and MemoryDB, which are derived from it.
//
// It decides nothing: outcomes are decided by the service, positions in the log by the applier.
// Failures of drivers leave it as errors of package model.
package dao

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"versiond/model"
)

// VersionMysqlDao keeps the records and the state row of one node in MySQL or, in the embedded mode,
// in SQLite. Any goroutine may read. Only the applier may write: nobody else moves the state row.
//
// Every error that is none of the named ones matches model.ErrStoreUnavailable, except that a
// cancelled context matches context.Canceled alone.
type VersionMysqlDao struct {
	DB *gorm.DB
	// CreateDatabase makes the database itself; nil where there is nothing to make.
	CreateDatabase func(ctx context.Context) error
}

// Ping tells whether the database answers. It needs no table to be there.
func (d *VersionMysqlDao) Ping(ctx context.Context) error {
	var one int
	err := d.DB.WithContext(ctx).Raw("SELECT 1").Row().Scan(&one)
	return translate(ctx, "ping", err)
}

// ConnectionsMax is how many connections the database may have; 0 where that is not known.
func (d *VersionMysqlDao) ConnectionsMax() int {
	if d.DB == nil {
		return 0
	}
	pool, err := d.DB.DB()
	if err != nil {
		return 0
	}
	return pool.Stats().MaxOpenConnections
}

// Get reads one record; model.ErrNotFound when the id has none.
func (d *VersionMysqlDao) Get(ctx context.Context, id string) (model.Version, error) {
	var v model.Version
	err := d.DB.WithContext(ctx).Raw("SELECT "+versionColumns+" FROM versions WHERE id = ?", id).Row().
		Scan(&v.ID, &v.VersionNo, &v.Platform, &v.Revision)
	if errors.Is(err, sql.ErrNoRows) {
		err = gorm.ErrRecordNotFound
	}
	return v, translate(ctx, "reading a record", err)
}

// Page reads up to limit records whose ids come after after, in the byte order of the ids. A platform
// that is not empty keeps only its records.
func (d *VersionMysqlDao) Page(ctx context.Context, after, platform string, limit int) ([]model.Version, error) {
	return page(ctx, d.DB, after, platform, limit)
}

// ForEachVersion calls fn with every record as of one moment, in no certain order and in flat memory.
// An error of fn ends it and is returned as it is.
func (d *VersionMysqlDao) ForEachVersion(ctx context.Context, fn func(model.Version) error) error {
	const op = "reading all records"
	rows, err := d.DB.WithContext(ctx).Raw("SELECT " + versionColumns + " FROM versions").Rows()
	if err != nil {
		return translate(ctx, op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v model.Version
		if err := rows.Scan(&v.ID, &v.VersionNo, &v.Platform, &v.Revision); err != nil {
			return translate(ctx, op, err)
		}
		if err := fn(v); err != nil {
			return err
		}
	}
	return translate(ctx, op, rows.Err())
}

func page(ctx context.Context, tx *gorm.DB, after, platform string, limit int) ([]model.Version, error) {
	const op = "reading a page"
	query, args := "SELECT "+versionColumns+" FROM versions WHERE id > ?", []any{after}
	if platform != "" {
		query, args = query+" AND platform = ?", append(args, platform)
	}
	rows, err := tx.WithContext(ctx).Raw(query+" ORDER BY id LIMIT ?", append(args, limit)...).Rows()
	if err != nil {
		return nil, translate(ctx, op, err)
	}
	defer rows.Close()
	versions, err := scanVersions(rows, limit)
	return versions, translate(ctx, op, err)
}

// scanVersions is written out because GORM's reflection costs more than the query on long pages.
func scanVersions(rows *sql.Rows, most int) ([]model.Version, error) {
	versions := make([]model.Version, 0, most)
	for rows.Next() {
		var v model.Version
		if err := rows.Scan(&v.ID, &v.VersionNo, &v.Platform, &v.Revision); err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, rows.Err()
}
