package db_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"versiond/db"
	"versiond/test/harness/servers"
)

var shared servers.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	_ = shared.Close()
	os.Exit(code)
}

// TestOpenMySQLNeedsNoServer breaks when a node cannot start while its MySQL is down.
func TestOpenMySQLNeedsNoServer(t *testing.T) {
	gormDB, create, err := db.OpenMySQL("u:secret@tcp(127.0.0.1:1)/versions", "node1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
	err = create(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

// TestOpenMySQLRefusesBadDSN breaks when a mistake in the configuration shows only later.
func TestOpenMySQLRefusesBadDSN(t *testing.T) {
	for _, dsn := range []string{"u:secret@tcp(127.0.0.1:1", "u:secret@tcp(127.0.0.1:1)/", "u:secret@tcp(127.0.0.1:1)/" + string(make([]byte, 64))} {
		_, _, err := db.OpenMySQL(dsn, "node1", slog.New(slog.DiscardHandler))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	}
}

// TestCreateDatabase breaks when a node cannot make its own database, or when making it again fails.
func TestCreateDatabase(t *testing.T) {
	server := shared.MariaDB(t)
	gormDB, create := mustOpenMySQL(t, server.DSN("made`here"), "node-1")
	require.Error(t, ping(t, gormDB), "it must not be there before")
	require.NoError(t, create(t.Context()))
	require.NoError(t, create(t.Context()), "creating twice")

	var name string
	require.NoError(t, gormDB.Raw("SELECT DATABASE()").Scan(&name).Error)
	require.Equal(t, "made`here_node-1", name)

	require.NoError(t, server.Exec(t.Context(), "DROP DATABASE `made``here_node-1`"))
	require.NoError(t, create(t.Context()), "over connections from before the drop")
	require.NoError(t, gormDB.Exec("CREATE TABLE t (id INT)").Error)
}

// TestSessionSettings breaks when a server's defaults, or the user's DSN, shine through where the DAO relies on
// ours.
func TestSessionSettings(t *testing.T) {
	server := servers.MariaDB(t)
	require.NoError(t, server.TurnDefaults(t.Context()))
	gormDB, create := mustOpenMySQL(t, server.DSN("session")+"?sql_mode=''&AutoCommit=0&innodb_lock_wait_timeout=7&columnsWithAlias=true", "n")
	require.NoError(t, create(t.Context()))
	for name, want := range map[string]string{
		"autocommit":                        "1",
		"completion_type":                   "NO_CHAIN",
		"tx_isolation":                      "REPEATABLE-READ",
		"tx_read_only":                      "0",
		"sql_mode":                          "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
		"time_zone":                         "+00:00",
		"character_set_client":              "utf8mb4",
		"character_set_connection":          "utf8mb4",
		"character_set_results":             "utf8mb4",
		"collation_connection":              "utf8mb4_bin",
		"sql_select_limit":                  "18446744073709551615",
		"sql_big_selects":                   "1",
		"max_sort_length":                   "1024",
		"sql_safe_updates":                  "0",
		"unique_checks":                     "1",
		"foreign_key_checks":                "0",
		"lock_wait_timeout":                 "5",
		"innodb_lock_wait_timeout":          "7",
		"max_statement_time":                "0",
		"wait_timeout":                      "28800",
		"net_write_timeout":                 "60",
		"idle_transaction_timeout":          "0",
		"idle_readonly_transaction_timeout": "0",
		"idle_write_transaction_timeout":    "0",
	} {
		var got string
		require.NoError(t, gormDB.Raw("SELECT @@"+name).Scan(&got).Error)
		require.Equal(t, want, got, name)
	}
	var one struct{ X int }
	require.NoError(t, gormDB.Raw("SELECT t.x FROM (SELECT 1 AS x) AS t").Scan(&one).Error)
	require.Equal(t, 1, one.X)
}

// TestCreateDatabaseWithoutPermission breaks when an operator is told only that something is denied:
// the statements in the error must be right, so they are run here.
func TestCreateDatabaseWithoutPermission(t *testing.T) {
	server, ctx := shared.MariaDB(t), t.Context()
	require.NoError(t, server.Exec(ctx, "CREATE USER 'o''brien'@'127.0.0.1' IDENTIFIED BY 'pw'"))
	gormDB, create := mustOpenMySQL(t, server.DSNFor("o'brien", "pw", "denied"), "node1")

	const createSQL = "CREATE DATABASE IF NOT EXISTS `denied_node1` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	const grantSQL = "GRANT ALL PRIVILEGES ON `denied\\_node1`.* TO 'o''brien'@'127.0.0.1'"
	err := create(ctx)
	require.ErrorContains(t, err, createSQL)
	require.ErrorContains(t, err, grantSQL)

	require.NoError(t, server.Exec(ctx, createSQL))
	require.NoError(t, server.Exec(ctx, grantSQL))
	require.NoError(t, create(ctx))
	require.NoError(t, ping(t, gormDB))
}

// TestMySQLCallsEndWithTheirContext breaks when a hanging server holds a caller beyond its deadline.
func TestMySQLCallsEndWithTheirContext(t *testing.T) {
	server := servers.MariaDB(t)
	gormDB, create := mustOpenMySQL(t, server.DSN("hang"), "n")
	require.NoError(t, create(t.Context()))
	require.NoError(t, server.Pause())

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	require.ErrorIs(t, gormDB.WithContext(ctx).Exec("SELECT 1").Error, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), 5*time.Second)
}

// TestSQLiteSettings breaks when a path is misread or a pragma does not reach every connection.
func TestSQLiteSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "50% of a?b #1&c")
	require.NoError(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "versions.db")
	gormDB, err := db.OpenSQLite(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
	require.FileExists(t, path)

	for range 2 { // on two connections at once
		tx := gormDB.Begin(&sql.TxOptions{ReadOnly: true})
		t.Cleanup(func() { tx.Rollback() })
		require.Equal(t, "wal", pragma(t, tx, "journal_mode"))
		require.Equal(t, "1", pragma(t, tx, "synchronous"))
		require.Equal(t, "5000", pragma(t, tx, "busy_timeout"))
		require.Equal(t, "1024", pragma(t, tx, "page_size"))
	}
}

// TestSQLiteNeedsItsDirectory breaks when a wrong data directory shows only at the first write.
func TestSQLiteNeedsItsDirectory(t *testing.T) {
	_, err := db.OpenSQLite(filepath.Join(t.TempDir(), "missing", "versions.db"))
	require.ErrorContains(t, err, "missing")
}

// TestOpenRedis breaks when the client does not take its address or database, or hangs on a dead one.
func TestOpenRedis(t *testing.T) {
	server := servers.Redis(t)
	client, err := db.OpenRedis(db.RedisAccount{Addr: server.Addr, DB: 3})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	info, err := client.Info(t.Context(), "keyspace").Result()
	require.NoError(t, err)
	require.Contains(t, info, "db3:keys=1")

	require.NoError(t, server.Pause())
	begin := time.Now()
	require.Error(t, client.Get(t.Context(), "key").Err())
	require.Less(t, time.Since(begin), 5*time.Second)
}

func mustOpenMySQL(t *testing.T, dsn, nodeID string) (*gorm.DB, func(context.Context) error) {
	t.Helper()
	gormDB, create, err := db.OpenMySQL(dsn, nodeID, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
	return gormDB, create
}

func ping(t *testing.T, gormDB *gorm.DB) error {
	t.Helper()
	pool, err := gormDB.DB()
	require.NoError(t, err)
	return pool.PingContext(t.Context())
}

func pragma(t *testing.T, tx *gorm.DB, name string) string {
	t.Helper()
	var value any
	require.NoError(t, tx.Raw("PRAGMA "+name).Row().Scan(&value))
	if number, ok := value.(int64); ok {
		return strconv.FormatInt(number, 10)
	}
	return value.(string)
}
