package service

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/test/harness/servers"
)

// shared holds the Redis of all tests; each takes a database of its own in it.
var (
	shared   servers.Shared
	redisDBs atomic.Int64
)

// parallelTests is more than there are cores: most of a test's time is the wait for an election.
const parallelTests = "6"

// serviceTimeout bounds one wait of a test on a busy machine.
const serviceTimeout = 10 * time.Second

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if err := flag.Set("test.parallel", parallelTests); err != nil { // what the command line says goes before
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := shared.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	return m.Run()
}

func mustRedis(t *testing.T) *dao.VersionRedisDao {
	t.Helper()
	client, err := db.OpenRedis(db.RedisAccount{Addr: shared.Redis(t).Addr, DB: int(redisDBs.Add(1))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return &dao.VersionRedisDao{Client: client}
}

func mustStore(t *testing.T, path string) *dao.VersionMysqlDao {
	t.Helper()
	gormDB, err := db.OpenSQLite(filepath.Join(path, "versions.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
	return &dao.VersionMysqlDao{DB: gormDB}
}

// mustMySQL opens the database of a node on a server.
func mustMySQL(t *testing.T, server *servers.SQLServer) *dao.VersionMysqlDao {
	t.Helper()
	return mustMySQLAt(t, server.DSN("versions"))
}

func mustMySQLAt(t *testing.T, dsn string) *dao.VersionMysqlDao {
	t.Helper()
	gormDB, create, err := db.OpenMySQL(dsn, "node1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
	return &dao.VersionMysqlDao{DB: gormDB, CreateDatabase: create}
}

func mustServices(t *testing.T, store *dao.VersionMysqlDao, redisDao *dao.VersionRedisDao) (*VersionMysqlService, *VersionRedisService) {
	t.Helper()
	memory, err := dao.NewMemoryDB(1000, 0.1, time.Hour, time.Now)
	require.NoError(t, err)
	mysqlService, err := NewVersionMysqlService(store)
	require.NoError(t, err)
	redisService, err := NewVersionRedisService(memory, redisDao, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return mysqlService, redisService
}

// nodeOptions are what a test's node is like. Nothing set means node1, alone and without Redis.
type nodeOptions struct {
	id       string
	path     string // a data directory of an earlier node
	redisDao *dao.VersionRedisDao
	log      io.Writer // nil is nowhere
	peers    *fakePeers
	listener *transport.Listener  // opened already, where others must know the address
	store    *dao.VersionMysqlDao // rather than one in the data directory
	settings func(address string) Settings
	election time.Duration // how long it waits for word of a leader; 0 is what versiond does, or next to nothing where it is alone
	applied  whenApplied
}

// whenApplied is called when readers see what a transaction brought to the store, and the applied index is yet to move on.
type whenApplied func()

// Applied and the others implement raft.Observer.
func (f whenApplied) Applied(int, int, time.Duration) {
	if f != nil {
		f()
	}
}

func (whenApplied) Proposed(int)                                  {}
func (whenApplied) StoreFailed()                                  {}
func (whenApplied) LogFailed()                                    {}
func (whenApplied) SnapshotPersisted(int64, time.Duration, error) {}
func (whenApplied) SnapshotRestored(int64, time.Duration, error)  {}
func (whenApplied) QuorumRound(int, time.Duration, error)         {}

// testNode is a node with a real store, real Raft and peers whose answers the test can make up.
type testNode struct {
	*VersionService
	peers   *fakePeers
	dir     *datadir.Dir
	store   *dao.VersionMysqlDao
	address string
	path    string
	close   func() // stops it before the test ends
}

// alone is the configuration of a cluster of one.
func alone(address string) Settings {
	return Settings{Listed: []Listed{{ID: "node1", Address: address, Port: 8081}}, Port: 8081}
}

// mustOpen opens a node that does nothing by itself but to look how far its store is: Run was not called.
func (o nodeOptions) mustOpen(t *testing.T) *testNode {
	t.Helper()
	n := o.mustPrepare(t)
	var wg sync.WaitGroup
	wg.Go(func() { n.levels.watch(t.Context()) })
	t.Cleanup(func() { n.close(); wg.Wait() })
	return n
}

// mustPrepare opens a node that does nothing by itself.
func (o nodeOptions) mustPrepare(t *testing.T) *testNode {
	t.Helper()
	o.complete(t)
	dir, err := datadir.Open(o.path, o.id)
	require.NoError(t, err)
	listener, store := o.listener, o.store
	if store == nil {
		store = mustStore(t, o.path)
	}
	mysqlService, redisService := mustServices(t, store, o.redisDao)
	address := listener.Addr().String()
	settings := o.settings(address)
	settings.PeriodicDeleteInterval, settings.ExamineSize = time.Second, 20
	if settings.Observer == nil {
		settings.Observer = unobserved{}
	}
	log := slog.New(slog.DiscardHandler)
	if o.log != nil {
		log = slog.New(slog.NewTextHandler(o.log, nil))
	}
	initializer := raft.RaftInitializerImpl{Config: raft.NodeConfig{
		Address: address, Dir: dir, Listener: listener, Store: filepath.Join(o.path, "versions.db"), Peers: o.peers, Log: log, Observer: o.applied,
		Tuning: raft.Tuning{SnapshotInterval: time.Hour, SnapshotThreshold: 1 << 30, TrailingLogs: 1 << 20, ElectionTimeout: o.election},
	}}
	s, err := NewVersionService(settings, mysqlService, redisService, initializer, o.peers, log)
	require.NoError(t, err)
	o.peers.register(address, s)
	n := &testNode{VersionService: s, peers: o.peers, dir: dir, store: store, address: address, path: o.path}
	n.close = sync.OnceFunc(func() {
		o.peers.silence(address, true)
		require.NoError(t, s.Close())
		require.NoError(t, listener.Close())
		require.NoError(t, dir.Close())
	})
	t.Cleanup(func() { n.close() })
	return n
}

func (o *nodeOptions) complete(t *testing.T) {
	if o.id == "" {
		o.id = "node1"
	}
	if o.path == "" {
		o.path = filepath.Join(t.TempDir(), o.id)
	}
	if o.peers == nil {
		o.peers = newFakePeers()
	}
	if o.listener == nil {
		o.listener = mustListen(t)
	}
	if o.settings == nil {
		o.settings, o.election = alone, 50*time.Millisecond
	}
}

func mustListen(t *testing.T) *transport.Listener {
	t.Helper()
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

// mustRun opens a node and runs it until the test ends, or until close is called.
func (o nodeOptions) mustRun(t *testing.T) *testNode {
	t.Helper()
	n := o.mustPrepare(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	closeService := n.close
	n.close = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		closeService()
	})
	return n
}

// mustLead runs a node that begins a cluster, and returns when it is ready.
func (o nodeOptions) mustLead(t *testing.T) *testNode {
	t.Helper()
	n := o.mustRun(t)
	n.mustBeReady(t)
	return n
}

func (n *testNode) mustBeReady(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return len(failing(n.Readiness(t.Context()))) == 0 })
}

// failing names the checks that are not OK.
func failing(checks []model.Check) (names []string) {
	for _, c := range checks {
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	return names
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 15*time.Second, 5*time.Millisecond)
}

func record(id, versionNo string) model.VersionDB {
	return model.VersionDB{ID: id, VersionNo: versionNo, Platform: "linux"}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func (n *testNode) mustAdd(t *testing.T, id, versionNo string) model.Result {
	t.Helper()
	result, err := n.AddVersion(within(t, 10*time.Second), record(id, versionNo), model.WriteOptions{})
	require.NoError(t, err)
	return result
}

func (n *testNode) mustGet(t *testing.T, id string) model.VersionDB {
	t.Helper()
	result, err := n.GetVersionByID(within(t, 10*time.Second), id, model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err)
	return result.Record
}

// exec changes the database behind the node's back.
func (n *testNode) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	require.NoError(t, n.store.DB.WithContext(t.Context()).Exec(statement, args...).Error)
}

// loseSince takes the database back to a state, as one comes back that has lost its last commits, all of which created something.
func (n *testNode) loseSince(t *testing.T, state model.StoreState) {
	t.Helper()
	last := model.Revision(state.Applied.Index+1, 0) - 1
	n.exec(t, "DELETE FROM versions WHERE revision > ?", last)
	n.exec(t, "DELETE FROM version_changes WHERE revision > ?", last)
	n.exec(t, "UPDATE versiond_state SET applied_index = ?, applied_term = ?, checksum = ?, changes_from = ?, seal = ?",
		state.Applied.Index, state.Applied.Term, string(state.Checksum), state.ChangesFrom, state.Seal)
	_, err := n.store.State(t.Context())
	require.NoError(t, err, "it shows by itself that it is not what the node left")
}

// unobserved is the Observer of nodes on which a test has no eye.
type unobserved struct{}

func (unobserved) BatchWritten(model.Unit, model.UnitResult, error, time.Duration) {}
func (unobserved) Written(model.CommandType, error, time.Duration)                 {}
func (unobserved) Forwarded(int)                                                   {}
func (unobserved) ReadRound(model.Level, int, time.Duration, error)                {}
func (unobserved) Reloaded(done bool, took time.Duration, err error)               {}
func (unobserved) Checked(time.Duration, error)                                    {}
func (unobserved) Diverged(string)                                                 {}
