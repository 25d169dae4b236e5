//go:build mysql

package dao_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
)

// TestSuiteOnMySQL runs on the server that VERSIOND_TEST_MYSQL names, user[:password]@tcp(host:port)/ of an account that
// may do everything: go test -tags mysql -run TestSuiteOnMySQL ./dao
func TestSuiteOnMySQL(t *testing.T) { runSuite(t, newMySQL) }

func newMySQL(t testing.TB) *store {
	t.Helper()
	dsn := os.Getenv("VERSIOND_TEST_MYSQL")
	require.NotEmpty(t, dsn, "VERSIOND_TEST_MYSQL")
	name := fmt.Sprintf("suite%d_%d", os.Getpid(), databases.Add(1))
	server, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	drop := func(ctx context.Context) error {
		_, err := server.ExecContext(ctx, "DROP DATABASE "+name+"_node1")
		return err
	}
	t.Cleanup(func() {
		_ = drop(context.Background()) // a test may have
		_ = server.Close()
	})
	gormDB, create, err := db.OpenMySQL(dsn+name, "node1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	closeAfter(t, gormDB)
	s := &store{VersionMysqlDao: &dao.VersionMysqlDao{DB: gormDB, CreateDatabase: create}, drop: drop}
	return s.onServer("utf8mb4_0900_bin")
}
