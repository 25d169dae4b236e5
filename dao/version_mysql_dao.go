// Package dao reads and writes a node's records: the database behind VersionMysqlDao, which is the
// truth, and the caches VersionRedisDao and MemoryDB, which are derived from it.
//
// GORM makes the tables from the tags of their rows, and the statements; what is done by hand says why
// (docs/adr/0015).
//
// It decides nothing: outcomes are decided by the service, positions in the log by the applier.
// Failures of drivers leave it as errors of package model.
package dao

import (
	"context"
	"sync/atomic"
	"unicode/utf8"

	"gorm.io/gorm"

	"versiond/model"
)

// VersionMysqlDao keeps the records and the state row of one node in MySQL or, in the embedded mode,
// in SQLite. Any goroutine may read. Only the applier may write: nobody else moves the state row.
//
// Every error that is none of the named ones matches model.ErrStoreUnavailable, except that a
// cancelled context matches context.Canceled alone. What is there and unlike what this node left, tables or
// values, matches model.ErrStoreDiffers, and model.ErrStoreUnavailable too.
type VersionMysqlDao struct {
	DB *gorm.DB
	// CreateDatabase makes the database itself; nil where there is nothing to make.
	CreateDatabase func(ctx context.Context) error
	// shape is that of the tables as this node made them, nil while that is not known.
	shape atomic.Pointer[string]
}

// Ping returns nil when the database answers. It needs no table to be there.
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
	found, err := d.collect(ctx, "reading a record", d.DB.WithContext(ctx).Where("id = ?", id), nil)
	switch {
	case err != nil:
		return model.Version{}, err
	case len(found) == 0:
		return model.Version{}, model.ErrNotFound
	}
	return found[0], nil
}

// GetMany reads the records of some ids, in no certain order. Ids that have none are not in the answer.
func (d *VersionMysqlDao) GetMany(ctx context.Context, ids []string) (versions []model.Version, err error) {
	dialect := dialectOf(d.DB)
	for len(ids) > 0 {
		n := fit(dialect, ids[:min(len(ids), idsPerStatementMax)], func(id string) int { return len(id) })
		if versions, err = d.collect(ctx, "reading records", d.DB.WithContext(ctx).Where("id IN ?", ids[:n]), versions); err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return versions, nil
}

// Page reads up to opts.Limit records, in the byte order of the ids.
func (d *VersionMysqlDao) Page(ctx context.Context, opts model.ListOptions) ([]model.Version, error) {
	return d.page(ctx, d.DB, opts)
}

// ForEachVersion calls fn with every record as of one moment, in no certain order and in flat memory.
// An error of fn ends it and is returned as it is.
func (d *VersionMysqlDao) ForEachVersion(ctx context.Context, fn func(model.Version) error) error {
	return d.scan(ctx, "reading all records", d.DB.WithContext(ctx), fn)
}

func (d *VersionMysqlDao) page(ctx context.Context, tx *gorm.DB, opts model.ListOptions) ([]model.Version, error) {
	tx = between(tx.WithContext(ctx), opts)
	if opts.Platform != "" {
		tx = tx.Table(dialectOf(tx).byPlatform).Where("platform = ?", opts.Platform)
	}
	return d.collect(ctx, "reading a page", tx.Order("id").Limit(opts.Limit), make([]model.Version, 0, opts.Limit))
}

// between narrows to a range of ids with one bound at each end: of two lower ones SQLite would take either, and step over
// all that lies before the other.
func between(tx *gorm.DB, opts model.ListOptions) *gorm.DB {
	if opts.After < opts.Prefix {
		tx = tx.Where("id >= ?", opts.Prefix)
	} else {
		tx = tx.Where("id > ?", opts.After)
	}
	if end := behind(opts.Prefix); end != "" {
		tx = tx.Where("id < ?", end)
	}
	return tx
}

// behind returns the first text that comes after all that begin with a prefix, "" when there is none. The columns take UTF-8
// alone, so it is the prefix with its last character that has a next one replaced by that.
func behind(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		if last < utf8.MaxRune {
			return prefix + string(following(last))
		}
	}
	return ""
}

// following returns the next character. Surrogates are none.
func following(r rune) rune {
	if next := r + 1; utf8.ValidRune(next) {
		return next
	}
	return 0xe000
}

// collect appends the rows that tx finds.
func (d *VersionMysqlDao) collect(ctx context.Context, op string, tx *gorm.DB, versions []model.Version) ([]model.Version, error) {
	err := d.scan(ctx, op, tx, func(v model.Version) error {
		versions = append(versions, v)
		return nil
	})
	return versions, err
}

// scan calls fn with the records that tx finds, whose errors come back as they are.
func (d *VersionMysqlDao) scan(ctx context.Context, op string, tx *gorm.DB, fn func(model.Version) error) error {
	var failed error
	err := scanRows(tx.Model(&model.Version{}).Select(versionColumns), func(r *scannedRow) error {
		v, err := r.version()
		if err == nil {
			failed = fn(v)
			err = failed
		}
		return err
	})
	if failed != nil {
		return failed
	}
	return d.translate(ctx, op, err)
}
