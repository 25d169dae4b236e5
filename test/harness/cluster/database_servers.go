package cluster

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/go-redis/redis/v8"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/damage"
	"versiond/test/harness/servers"
)

// harmTimeout is how long a statement may meet the node at the same rows.
const harmTimeout = 20 * time.Second

// What a server says to one of two that are at the same rows: the statement has done nothing.
var errDeadlock, errLockWait = &mysql.MySQLError{Number: 1213}, &mysql.MySQLError{Number: 1205}

// redisDatabases is how many databases a Redis has by default.
const redisDatabases = 16

// serverStore is a database for each node on one server, and one Redis database for all.
type serverStore struct {
	t     testing.TB
	sql   *servers.SQLServer
	redis *redis.Client
	name  string
}

func newServerStore(t testing.TB, shared *servers.Shared, number int) *serverStore {
	t.Helper()
	s := newRedisStore(t, shared, number)
	s.sql = shared.SQL(t)
	return s
}

// newRedisStore has a Redis database and no server of databases yet.
func newRedisStore(t testing.TB, shared *servers.Shared, number int) *serverStore {
	t.Helper()
	s := &serverStore{t: t, name: fmt.Sprintf("cluster%d", number)}
	s.redis = redis.NewClient(&redis.Options{Addr: shared.Redis(t).Addr, DB: number % redisDatabases})
	t.Cleanup(func() { _ = s.redis.Close() })
	require.NoError(t, s.redis.FlushDB(t.Context()).Err(), "what an earlier cluster left")
	return s
}

func (s *serverStore) env(string) []string {
	return s.variables(s.sql.DSN(s.name), s.redis.Options().Addr)
}

func (s *serverStore) variables(dsn, redisAddr string) []string {
	return []string{
		"VERSIOND_MYSQL_DSN=" + dsn,
		"VERSIOND_REDIS_ADDR=" + redisAddr,
		fmt.Sprintf("VERSIOND_REDIS_DB=%d", s.redis.Options().DB),
	}
}

func (s *serverStore) addresses(string) []string {
	return []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(s.sql.Port)), s.redis.Options().Addr}
}

func (*serverStore) lines(string) *Lines { return nil }

func (s *serverStore) database(node, _ string) Database {
	s.t.Helper()
	return s.databaseOn(s.sql, node)
}

func (s *serverStore) databaseOn(server *servers.SQLServer, node string) Database {
	s.t.Helper()
	d := &mysqlDatabase{t: s.t, server: server, name: s.name + "_" + node}
	db, err := sql.Open("mysql", server.DSN(""))
	require.NoError(s.t, err)
	d.db = db
	s.t.Cleanup(func() {
		_, _ = db.Exec("DROP DATABASE IF EXISTS " + d.quoted("")) // the server ends with the tests anyway
		_ = db.Close()
	})
	return d
}

type mysqlDatabase struct {
	t      testing.TB
	server *servers.SQLServer
	db     *sql.DB // of the server: the database itself may be dropped
	name   string
}

var mysqlTables = []string{"versions", "versiond_state", "versiond_idempotency", "version_changes"}

func (d *mysqlDatabase) quoted(label string) string { return "`" + d.name + label + "`" }

func (d *mysqlDatabase) Read(ctx context.Context) (contents Contents, err error) {
	return contents, d.read(ctx, func(db beginner) error {
		contents, err = readContents(ctx, db, sql.LevelRepeatableRead)
		return err
	})
}

func (d *mysqlDatabase) EachChange(ctx context.Context, after uint64, do func(*model.Change) error) error {
	return d.read(ctx, func(db beginner) error { return readChanges(ctx, db, after, do) })
}

func (d *mysqlDatabase) read(ctx context.Context, read func(beginner) error) error {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "USE "+d.quoted("")); err != nil {
		return err
	}
	return read(conn)
}

func (d *mysqlDatabase) Harm(kind damage.Kind) {
	d.t.Helper()
	conn, err := d.db.Conn(d.t.Context())
	require.NoError(d.t, err)
	defer conn.Close()
	for _, statement := range append([]string{"SET foreign_key_checks = 0", "USE " + d.quoted("")}, kind.MySQL...) {
		Eventually(d.t, harmTimeout, statement, func() error {
			_, err := conn.ExecContext(d.t.Context(), statement)
			if !errors.Is(err, errDeadlock) && !errors.Is(err, errLockWait) { // the node is at the same rows
				require.NoError(d.t, err, statement)
			}
			return err
		})
	}
}

func (d *mysqlDatabase) Drop() { d.t.Helper(); d.exec("DROP DATABASE " + d.quoted("")) }

func (d *mysqlDatabase) Save(label string) {
	d.t.Helper()
	d.exec("DROP DATABASE IF EXISTS " + d.quoted(label))
	d.copy(d.quoted(""), d.quoted(label))
}

func (d *mysqlDatabase) PutBack(label string) {
	d.t.Helper()
	d.Drop()
	d.copy(d.quoted(label), d.quoted(""))
}

func (d *mysqlDatabase) copy(from, to string) {
	d.t.Helper()
	d.exec("CREATE DATABASE " + to)
	for _, table := range mysqlTables {
		d.exec("CREATE TABLE " + to + "." + table + " LIKE " + from + "." + table)
		d.exec("INSERT INTO " + to + "." + table + " SELECT * FROM " + from + "." + table)
	}
}

func (d *mysqlDatabase) Swap(other Database) {
	d.t.Helper()
	o := other.(*mysqlDatabase)
	if d.server != o.server {
		d.swapAcross(o)
		return
	}
	mine, aside, theirs := d.quoted(""), d.quoted("swap"), o.quoted("")
	d.exec("CREATE DATABASE IF NOT EXISTS " + aside)
	for _, step := range [][2]string{{mine, aside}, {theirs, mine}, {aside, theirs}} {
		for _, table := range mysqlTables {
			d.exec("RENAME TABLE " + step[0] + "." + table + " TO " + step[1] + "." + table)
		}
	}
}

// swapAcross takes the databases from one server to another.
func (d *mysqlDatabase) swapAcross(other *mysqlDatabase) {
	d.t.Helper()
	mine, theirs := d.dump(), other.dump()
	for _, into := range []struct {
		database *mysqlDatabase
		dump     []byte
	}{{d, theirs}, {other, mine}} {
		into.database.exec("DROP DATABASE " + into.database.quoted(""))
		into.database.exec("CREATE DATABASE " + into.database.quoted(""))
		require.NoError(d.t, into.database.server.Load(d.t.Context(), into.database.name, bytes.NewReader(into.dump)))
	}
}

func (d *mysqlDatabase) dump() []byte {
	d.t.Helper()
	dump, err := d.server.Dump(d.t.Context(), d.name)
	require.NoError(d.t, err)
	return dump
}

func (d *mysqlDatabase) exec(statement string) {
	d.t.Helper()
	_, err := d.db.ExecContext(d.t.Context(), statement)
	require.NoError(d.t, err, statement)
}
