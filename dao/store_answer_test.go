package dao_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/servers"
)

// What a database server has against a node must come to its operator in the server's own words, with its number
// and what helps: "does not answer" sends them to the network.
func TestMySQLsOwnWords(t *testing.T) {
	server := servers.MariaDB(t)
	exec := func(statement string) { t.Helper(); require.NoError(t, server.Exec(t.Context(), statement), statement) }
	exec("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'pw'")
	exec("GRANT ALL PRIVILEGES ON `words\\_node1`.* TO plain@'127.0.0.1'")
	open := func() *store { // rights are looked at when a connection is made
		return &store{VersionMysqlDao: mustOpenMySQL(t, server.DSNFor("plain", "pw", "words")+"?lock_wait_timeout=1&innodb_lock_wait_timeout=1")}
	}
	open().mustCreate(t)
	write := func() error {
		at := model.Position{}
		return open().apply(t.Context(), identity.Store, at, after(at), model.Changes{Upserts: []model.Version{version("a", 1)}})
	}
	for _, c := range []struct{ begin, end, number, remedy string }{
		{"SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0", "1290", "take writes again"},
		{"REVOKE INSERT ON `words\\_node1`.* FROM plain@'127.0.0.1'", "GRANT INSERT ON `words\\_node1`.* TO plain@'127.0.0.1'", "1142", "mysql.dsn"},
	} {
		exec(c.begin)
		requireSays(t, write(), c.number, c.remedy)
		exec(c.end)
	}

	locker, err := sql.Open("mysql", server.DSN("words_node1"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, locker.Close()) })
	conn, err := locker.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "LOCK TABLES versions READ, versiond_state READ")
	require.NoError(t, err)
	requireSays(t, write(), "1205", "PROCESSLIST")
	require.NoError(t, conn.Close())
	require.NoError(t, locker.Close())
	require.NoError(t, write())

	denied := mustOpenMySQL(t, server.DSNFor("plain", "wrong", "words"))
	requireSays(t, denied.Ping(t.Context()), "1045", "mysql.dsn")
}

func requireSays(t *testing.T, err error, words, remedy string) {
	t.Helper()
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	var answer *model.StoreError
	require.ErrorAs(t, err, &answer)
	require.Contains(t, answer.Error(), "answers with an error: "+words)
	require.Contains(t, answer.Error(), remedy)
	require.NotContains(t, answer.Error(), "does not answer")
}

// However small the packets are that a server takes, a transaction of many long records and dedup records must fit: what
// is in the log once, every node has to store.
func TestStatementsFitTheServersPackets(t *testing.T) {
	server := servers.MariaDB(t)
	require.NoError(t, server.Exec(t.Context(), "SET GLOBAL max_allowed_packet = 65536"))
	s := &store{VersionMysqlDao: mustOpenMySQL(t, server.DSN("packets"))}
	s.mustCreate(t)
	long := longVersions(2500)
	dedup := someDedupRecords(1, 40)
	for i := range dedup {
		dedup[i].Outcomes = strings.Repeat("\x00\\", 8000)
	}
	require.NoError(t, s.apply(t.Context(), identity.Store, model.Position{}, after(model.Position{}), model.Changes{Upserts: long, DedupRecords: dedup}))
	require.Len(t, s.mustIDs(t), len(long))
	s.mustApply(t, nil, idsOf(long)...)
	require.Empty(t, s.mustIDs(t))
	require.NoError(t, s.InsertBatch(t.Context(), long[:1000]))

	escaped := make([]model.Version, 40)
	log := make([]model.Change, len(escaped))
	for i := range escaped { // each byte of the attributes takes seven in a statement
		escaped[i] = version(fmt.Sprint("escaped-", i), model.Revision(9, i))
		escaped[i].Details = &model.Details{Attributes: map[string]string{"n": strings.Repeat("<", 2000)}}
		log[i] = model.Change{Revision: escaped[i].Revision, Op: model.ChangeCreate, ID: escaped[i].ID, VersionNo: "1", Platform: "ios", Details: escaped[i].Details}
	}
	from := s.mustState(t).Applied
	require.NoError(t, s.apply(t.Context(), identity.Store, from, after(from), model.Changes{Upserts: escaped, Log: log}))
	ids := make([]string, 500)
	for i := range ids {
		ids[i] = strings.Repeat("'", 128)
	}
	_, err := s.GetMany(t.Context(), ids)
	require.NoError(t, err)

	// One that was lowered since is noticed with the connection that it broke.
	require.NoError(t, server.Exec(t.Context(), "SET GLOBAL max_allowed_packet = 1024"))
	small := mustOpenMySQL(t, server.DSN("packets"))
	requireSays(t, small.InsertDedupRecords(t.Context(), dedup[:1]), "1153", "max_allowed_packet")
}

// A full disk under SQLite must not look like a database that does not answer.
func TestSQLitesOwnWords(t *testing.T) {
	s := newSQLite(t)
	s.mustCreate(t)
	pool, err := s.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1) // a pragma is of one connection
	var pages int
	require.NoError(t, s.DB.Raw("PRAGMA page_count").Row().Scan(&pages))
	require.NoError(t, s.DB.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages+4)).Error)
	full := s.InsertBatch(context.Background(), longVersions(200))
	requireSays(t, full, "database or disk is full", "make room")
	require.ErrorContains(t, full, "data directory")
}
