package dao_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/test/harness/servers"
)

// TestMySQLDown breaks when a server that does not answer is taken for an empty database, which the
// applier would build anew, or when nothing works after it is back.
func TestMySQLDown(t *testing.T) {
	server := servers.MariaDB(t)
	d := mustOpenMySQL(t, server.DSN("down"))
	s := &store{VersionMysqlDao: d}
	s.mustCreate(t)
	s.mustApply(t, []model.Version{version("a", 1)})
	state := s.mustState(t)

	require.NoError(t, server.Kill())
	requireUnavailable(t, t.Context(), d)
	require.NoError(t, server.Start())
	require.Equal(t, state, s.mustState(t))
	s.mustApply(t, []model.Version{version("b", 2)})

	require.NoError(t, server.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	requireUnavailable(t, ctx, d)
	require.NoError(t, server.Resume())
	require.Equal(t, []string{"a", "b"}, s.mustIDs(t))
}

// TestMySQLViewDiesWithItsServer breaks when a snapshot goes on with what a lost view no longer shows.
func TestMySQLViewDiesWithItsServer(t *testing.T) {
	server := servers.MariaDB(t)
	s := &store{VersionMysqlDao: mustOpenMySQL(t, server.DSN("view"))}
	s.mustCreate(t)
	view := s.mustOpenView(t, t.Context())
	require.NoError(t, server.Kill())
	require.NoError(t, server.Start())
	for range 2 {
		_, err := view.Page(t.Context(), model.ListOptions{Limit: 1})
		require.ErrorIs(t, err, model.ErrStoreUnavailable)
	}
}

// If this fails, a database that an operator has saved with mysqldump and loaded again, as recover advises, is not
// taken for what it is.
func TestDumpOfADatabaseIsTheSameDatabase(t *testing.T) {
	t.Run("MySQL", func(t *testing.T) { testDumpIsTheSame(t, shared.MySQL(t)) })
	t.Run("MariaDB", func(t *testing.T) { testDumpIsTheSame(t, shared.MariaDB(t)) })
}

func testDumpIsTheSame(t *testing.T, server *servers.SQLServer) {
	ctx, s := t.Context(), newStoreOn(t, server)
	s.mustCreate(t)
	odd := []model.Version{version("a';\\\n--", 7), version("\xf0\x9f\x98\x80", 8), version("1.0", 9)}
	s.mustApply(t, slices.Concat(manyVersions(450), longVersions(3), odd))
	ids, state := s.mustIDs(t), s.mustState(t)
	rows, err := s.Page(ctx, model.ListOptions{Limit: len(ids)})
	require.NoError(t, err)

	dump, err := server.Dump(ctx, s.DB.Migrator().CurrentDatabase())
	require.NoError(t, err)
	require.NoError(t, s.drop(ctx))
	require.NoError(t, server.Exec(ctx, "CREATE DATABASE loaded_node1"))
	require.NoError(t, server.Load(ctx, "loaded_node1", bytes.NewReader(dump)))
	loaded := &store{VersionMysqlDao: mustOpenMySQL(t, server.DSN("loaded"))}
	again, err := loaded.Page(ctx, model.ListOptions{Limit: len(ids) + 1})
	require.NoError(t, err)
	require.Equal(t, rows, again)
	require.Equal(t, state, loaded.mustState(t))
	loaded.mustApply(t, []model.Version{version("after", 10)}, "1.0")
}

// TestMySQLWithoutRights breaks when an account that may see nothing leaves the operator without the
// statements to run: State must lead to EnsureSchema, whose error has them.
func TestMySQLWithoutRights(t *testing.T) {
	server, ctx := shared.MariaDB(t), t.Context()
	require.NoError(t, server.Exec(ctx, "CREATE USER blind@'127.0.0.1' IDENTIFIED BY 'pw'"))
	d := mustOpenMySQL(t, server.DSNFor("blind", "pw", "unseen"))
	_, err := d.State(ctx)
	require.ErrorIs(t, err, model.ErrNoState)
	_, err = d.OpenView(ctx)
	require.ErrorIs(t, err, model.ErrNoState)
	err = d.EnsureSchema(ctx)
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	require.ErrorContains(t, err, "GRANT ALL PRIVILEGES ON `unseen\\_node1`.* TO 'blind'@'127.0.0.1'")
}

// TestMySQLPrivilegesRevoked breaks when a privilege that is revoked is taken for tables that are gone, when operators
// are not told, or when a node goes on with sessions from before it was granted again.
func TestMySQLPrivilegesRevoked(t *testing.T) {
	server, ctx := shared.MariaDB(t), t.Context()
	exec := func(statement string) {
		t.Helper()
		require.NoError(t, server.Exec(ctx, statement))
	}
	exec("CREATE USER limited@'127.0.0.1' IDENTIFIED BY 'pw'")
	exec("CREATE DATABASE limited_node1")
	for _, level := range []string{"*.*", "limited_node1.*", "limited_node1.versions"} {
		exec("GRANT ALL PRIVILEGES ON limited_node1.* TO limited@'127.0.0.1'")
		for _, privilege := range []string{"INSERT", "SELECT"} {
			s := &store{VersionMysqlDao: mustOpenMySQL(t, server.DSNFor("limited", "pw", "limited"))}
			s.mustCreate(t)
			left := s.mustState(t)
			require.NoError(t, s.CheckShape(ctx, left))
			exec("REVOKE ALL PRIVILEGES, GRANT OPTION FROM limited@'127.0.0.1'")
			exec("GRANT ALL PRIVILEGES ON " + level + " TO limited@'127.0.0.1'")
			exec("GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON limited_node1.versiond_state TO limited@'127.0.0.1'")
			exec("REVOKE " + privilege + " ON " + level + " FROM limited@'127.0.0.1'")
			renew(t, s)
			becomes := left
			becomes.Applied = after(left.Applied)
			write := func() error {
				if _, err := s.Page(ctx, model.ListOptions{Limit: 1}); err != nil {
					return err
				}
				return s.Apply(ctx, left, becomes.Sealed(), model.Changes{Upserts: []model.Version{version("a", 1)}})
			}
			err := write()
			require.ErrorContains(t, err, "let an administrator grant")
			require.NotErrorIs(t, err, model.ErrStateMoved)
			require.NotErrorIs(t, err, model.ErrStoreDiffers)
			exec("GRANT ALL PRIVILEGES ON limited_node1.* TO limited@'127.0.0.1'")
			require.NoError(t, write())
			require.Equal(t, []string{"a"}, s.mustIDs(t))
			require.NoError(t, s.BeginRestore(ctx, identity))
			require.NoError(t, s.DeleteAll(ctx))
			exec("REVOKE ALL PRIVILEGES, GRANT OPTION FROM limited@'127.0.0.1'")
			exec("GRANT ALL PRIVILEGES ON limited_node1.* TO limited@'127.0.0.1'")
		}
	}
}

// renew ends the sessions of before.
func renew(t *testing.T, s *store) {
	t.Helper()
	pool, err := s.DB.DB()
	require.NoError(t, err)
	pool.SetMaxIdleConns(0)
	pool.SetMaxIdleConns(1)
}

func requireUnavailable(t *testing.T, ctx context.Context, d *dao.VersionMysqlDao) {
	t.Helper()
	_, stateErr := d.State(ctx)
	_, getErr := d.Get(ctx, "a")
	_, viewErr := d.OpenView(ctx)
	for name, err := range map[string]error{
		"state":   stateErr,
		"get":     getErr,
		"view":    viewErr,
		"ping":    d.Ping(ctx),
		"apply":   d.Apply(ctx, model.StoreState{Identity: identity}.Sealed(), model.StoreState{Identity: identity}.Sealed(), model.Changes{}),
		"schema":  d.EnsureSchema(ctx),
		"restore": d.DeleteAll(ctx),
	} {
		require.ErrorIs(t, err, model.ErrStoreUnavailable, name)
		require.NotErrorIs(t, err, model.ErrNoState, name)
		require.NotErrorIs(t, err, model.ErrStateMoved, name)
	}
}

func mustOpenMySQL(t *testing.T, dsn string) *dao.VersionMysqlDao {
	t.Helper()
	gormDB, create, err := db.OpenMySQL(dsn, "node1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	closeAfter(t, gormDB)
	return &dao.VersionMysqlDao{DB: gormDB, CreateDatabase: create}
}
