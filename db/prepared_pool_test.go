package db

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

func openPrepared(t *testing.T) (*gorm.DB, *preparedPool) {
	t.Helper()
	gormDB, err := OpenSQLite(filepath.Join(t.TempDir(), "versions.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, Close(gormDB)) })
	return gormDB, gormDB.ConnPool.(*preparedPool)
}

func inTransaction(gormDB *gorm.DB, statement string, args ...any) error {
	return gormDB.Transaction(func(tx *gorm.DB) error { return tx.Exec(statement, args...).Error })
}

// A statement that is kept for a table of before, or that fails where it would not when written out, would
// hold the applier up for ever.
func TestPreparedStatementsFollowTheSchema(t *testing.T) {
	const create, insert = "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (?)"
	gormDB, pool := openPrepared(t)
	require.ErrorContains(t, inTransaction(gormDB, insert, 1), "no such table: t")
	require.NoError(t, gormDB.Exec(create).Error)
	require.NoError(t, inTransaction(gormDB, insert, 1))
	require.True(t, pool.statements.Contains(insert))
	require.NoError(t, gormDB.Exec("DROP TABLE t").Error)
	require.ErrorContains(t, inTransaction(gormDB, insert, 2), "no such table: t")
	require.NoError(t, gormDB.Exec("CREATE TABLE t (other TEXT)").Error)
	require.NoError(t, inTransaction(gormDB, insert, "3"))
	var got string
	require.NoError(t, gormDB.Raw("SELECT other FROM t").Row().Scan(&got))
	require.Equal(t, "3", got)
}

// Statements of ever new lengths would fill the memory of every connection.
func TestPreparedStatementsAreBounded(t *testing.T) {
	gormDB, pool := openPrepared(t)
	for i := range 3 * preparedStatementsMax {
		require.NoError(t, inTransaction(gormDB, fmt.Sprintf("PRAGMA user_version = %d", i)))
	}
	require.Equal(t, preparedStatementsMax, pool.statements.Len())
}

// Readers that have all other connections would hold up the transaction that readers wait for.
func TestTransactionNeedsNoSecondConnection(t *testing.T) {
	gormDB, pool := openPrepared(t)
	require.NoError(t, gormDB.Exec("CREATE TABLE t (id INTEGER)").Error)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range sqliteConnectionsMax - 1 {
		reader, err := pool.DB.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		require.NoError(t, err)
		t.Cleanup(func() { _ = reader.Rollback() })
	}
	require.NoError(t, inTransaction(gormDB.WithContext(ctx), "INSERT INTO t VALUES (?)", 1))
}
