package main

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/db"
	"versiond/model"
	"versiond/test/harness/servers"
)

// onBothStores runs a test on SQLite and on MariaDB, with a node's configuration and its database opened beside it.
func onBothStores(t *testing.T, run func(t *testing.T, cfg config.Config, beside *sql.DB)) {
	t.Run("SQLite", func(t *testing.T) {
		cfg := configured(t, 1)
		require.NoError(t, os.MkdirAll(filepath.Join(cfg.DataDir, "node1"), 0o750))
		beside, err := db.OpenSQLite(filepath.Join(cfg.DataDir, "node1", db.SQLiteFile))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close(beside)) })
		pool, err := beside.DB()
		require.NoError(t, err)
		run(t, cfg, pool)
	})
	t.Run("MariaDB", func(t *testing.T) {
		cfg, server := configured(t, 1), servers.MariaDB(t)
		cfg.MySQL.DSN = config.Secret(server.DSN("registry"))
		beside, create, err := db.OpenMySQL(server.DSN("registry"), "node1", slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close(beside)) })
		require.NoError(t, create(t.Context()))
		pool, err := beside.DB()
		require.NoError(t, err)
		run(t, cfg, pool)
	})
}

func mustExec(t *testing.T, beside *sql.DB, statement string) {
	t.Helper()
	_, err := beside.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

// A first start on a database in which somebody has a table of the same name must end with words, and leave that
// as it is. If this fails, a wrong DSN costs somebody their rows.
func TestAFirstStartLeavesTheTablesOfOthers(t *testing.T) {
	onBothStores(t, func(t *testing.T, cfg config.Config, beside *sql.DB) {
		mustExec(t, beside, "CREATE TABLE versions (id INTEGER PRIMARY KEY, note CHAR(9))")
		mustExec(t, beside, "INSERT INTO versions VALUES (1, 'kept')")
		for range 2 { // the next start is a first one too
			s := start(t, cfg)
			err := s.mustEnd(t)
			require.ErrorIs(t, err, model.ErrForeignStore)
			require.ErrorContains(t, err, "holds versions, and no state row")
			require.ErrorContains(t, err, "node1")
			require.Regexp(t, "DROP DATABASE `registry_node1`|delete .+/node1/versions.db", err.Error())
			var note string
			require.NoError(t, beside.QueryRowContext(t.Context(), "SELECT note FROM versions").Scan(&note))
			require.Equal(t, "kept", note)
		}
		mustExec(t, beside, "DROP TABLE versions")
		s := start(t, cfg)
		mustBeReady(t, cfg.Raft.Nodes)
		s.mustStop(t)
	})
}

// A node that has made its store makes it anew over whatever stands there, also when that was done while it was
// down, and says which tables it replaces.
func TestALaterStartBuildsItsStoreAnew(t *testing.T) {
	onBothStores(t, func(t *testing.T, cfg config.Config, beside *sql.DB) {
		s := start(t, cfg)
		mustBeReady(t, cfg.Raft.Nodes)
		status, body := request(t, "POST", cfg.Raft.Nodes[0].Port, "/version", sampleRecord)
		require.Equal(t, 201, status, body)
		require.NotContains(t, s.log.String(), "level=WARN msg=\"building the store anew\"")
		s.mustStop(t)
		mustExec(t, beside, "DROP TABLE versiond_state")

		s = start(t, cfg)
		mustBeReady(t, cfg.Raft.Nodes)
		requireSample(t, cfg.Raft.Nodes[0].Port)
		require.Regexp(t, `level=WARN msg="building the store anew" .*tables="\[.*versiond_idempotency versions.*\]"`, s.log.String())
		s.mustStop(t)
	})
}
