package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"gorm.io/gorm"
	"modernc.org/sqlite"
)

// SQLiteFile is the name of the embedded database in a node's data directory.
const SQLiteFile = "versions.db"

// sqliteConnectionsMax lets readers, the applier and a read view work side by side. Each connection
// has a page cache of its own, so there are fewer than for a server.
const sqliteConnectionsMax = 12

// OpenSQLite opens the database file at path, which is made when it is missing; its directory must
// be there. It may be used by any goroutine.
//
// In WAL mode readers and long read views neither block the one writer nor wait for it. A commit
// survives a killed process; a power cut may take the last ones, which the node then applies again
// from its Raft log.
func OpenSQLite(path string) (*gorm.DB, error) {
	return openSQLite(path, url.Values{
		"_txlock":       {"immediate"},
		"_journal_mode": {"WAL"},
		"_pragma": {
			"busy_timeout(5000)",
			// Records are small and far apart: what a transaction writes is mostly the rest of their pages. It
			// has to come before the journal mode, which makes the file: the driver sets that after all pragmas.
			"page_size(1024)",
			"cache_size(-8192)",         // KiB: a transaction of a follower under load fits, and with a million records the inner pages
			"wal_autocheckpoint(32768)", // 32 MiB
			"synchronous(normal)",
			"temp_store(memory)",           // an upsert of many rows keeps a journal of its own, for nothing but its own undoing
			"journal_size_limit(67108864)", // give back what a long read view made the WAL grow to
		},
	})
}

// OpenSQLiteReadOnly opens a database file that must stay as it is and that nobody writes to meanwhile.
// Without a write-ahead log it is said to be immutable, or SQLite would make an empty one.
func OpenSQLiteReadOnly(path string) (*gorm.DB, error) {
	options := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)"}}
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() == 0 {
		options.Set("immutable", "1")
	}
	return openSQLite(path, options)
}

func openSQLite(path string, options url.Values) (*gorm.DB, error) {
	dsn, err := sqliteDSN(path, options)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(sqliteConnectionsMax)
	pool.SetMaxIdleConns(sqliteConnectionsMax)
	gormDB, err := gormOverSQLite(pool)
	if err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("sqlite: opening %s: %w", path, err)
	}
	return gormDB, nil
}

func gormOverSQLite(pool *sql.DB) (*gorm.DB, error) {
	if err := pool.PingContext(context.Background()); err != nil {
		return nil, err
	}
	prepared, err := newPreparedPool(pool)
	if err != nil {
		return nil, err
	}
	return gorm.Open(sqliteDialect{prepared}, gormConfig())
}

// sqliteDSN makes a file URI, in which the path may hold any character. Transactions that write take
// the write lock when they begin (_txlock): one that only asks for it at its first write fails at once
// when another has written since, where this one waits. Read-only transactions take no lock.
func sqliteDSN(path string, options url.Values) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: options.Encode()}
	return uri.String(), nil
}
