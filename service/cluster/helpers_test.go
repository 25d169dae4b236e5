package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/peer"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/service"
	"versiond/service/cluster"
	"versiond/test/harness/captured"
)

// fakePeers has nodes at addresses that answer what a test makes up, and nobody at any other address.
type fakePeers struct {
	mu       sync.Mutex
	statuses map[string]peer.Status
	asked    []string // who was asked to take the node in
}

func (p *fakePeers) pretend(address string, status peer.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses[address] = status
}

func (p *fakePeers) silence(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.statuses, address)
}

func (p *fakePeers) Status(_ context.Context, address string) (peer.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status, there := p.statuses[address]
	if !there {
		return status, nobodyAt(address)
	}
	return status, nil
}

func (p *fakePeers) Identify(ctx context.Context, address string) (peer.Status, error) {
	return p.Status(ctx, address)
}

func (p *fakePeers) Join(_ context.Context, address, _, _ string, _ bool) (model.Member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, address)
	return model.Member{}, nobodyAt(address)
}

func (p *fakePeers) joinsAsked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *fakePeers) Remove(_ context.Context, address, _ string, _ bool) error {
	return nobodyAt(address)
}

func (p *fakePeers) Transfer(_ context.Context, address, _ string) (model.Leader, error) {
	return model.Leader{}, nobodyAt(address)
}

func (p *fakePeers) Admit(_ context.Context, address string, _ peer.Admission) error {
	return nobodyAt(address)
}

func (p *fakePeers) Term(_ context.Context, _, address string) (uint64, error) {
	return 0, nobodyAt(address)
}

func nobodyAt(address string) error {
	return fmt.Errorf("%w: %s: %w: %w", model.ErrNodeUnreachable, address, model.ErrNoAnswer, model.ErrNeverSent)
}

// node is a node with a real Raft and a real store, of which nothing runs by itself.
type node struct {
	*cluster.Cluster
	peers *fakePeers
	store *dao.VersionMysqlDao
	log   *captured.Buffer
}

// options are what a node is like; parts is called with its address, which the configuration may have to know.
type options struct {
	id    string
	parts func(address string) cluster.Parts
}

func (o options) mustOpen(t *testing.T) *node {
	t.Helper()
	dir, err := datadir.Open(filepath.Join(t.TempDir(), o.id), o.id)
	require.NoError(t, err)
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	store, mysql, redis := mustServices(t, dir.Path())
	n := &node{peers: &fakePeers{statuses: map[string]peer.Status{}}, store: store, log: &captured.Buffer{}}
	log := slog.New(slog.NewTextHandler(n.log, nil))
	address := listener.Addr().String()
	raftNode, err := raft.RaftInitializerImpl{Config: raft.NodeConfig{
		Address: address, Dir: dir, Listener: listener, Store: "versions.db", Peers: n.peers, Log: slog.New(slog.DiscardHandler),
		Tuning: raft.Tuning{SnapshotInterval: time.Hour, SnapshotThreshold: 1 << 30, TrailingLogs: 1 << 20},
	}}.InitRaft(service.NewThrowawayService(mysql, redis, log))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, raftNode.Close())
		require.NoError(t, listener.Close())
		require.NoError(t, dir.Close())
	})
	parts := o.parts(address)
	parts.Node, parts.Peers, parts.Log, parts.Stopped = raftNode, n.peers, log, t.Context().Done()
	parts.Self = func(context.Context) peer.Status { return peer.Status{Status: raftNode.Status()} }
	parts.HeldCluster = func(context.Context) (string, error) { return "", nil }
	n.Cluster = cluster.New(parts)
	return n
}

func mustServices(t *testing.T, path string) (*dao.VersionMysqlDao, *service.VersionMysqlService, *service.VersionRedisService) {
	t.Helper()
	gormDB, err := db.OpenSQLite(filepath.Join(path, "versions.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
	store := &dao.VersionMysqlDao{DB: gormDB}
	mysql, err := service.NewVersionMysqlService(store)
	require.NoError(t, err)
	memory, err := dao.NewMemoryDB(10, 0.1, time.Hour, time.Now)
	require.NoError(t, err)
	redis, err := service.NewVersionRedisService(memory, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return store, mysql, redis
}

// mustLead opens a node that is alone in its cluster, and leads it.
func mustLead(t *testing.T) *node {
	t.Helper()
	n := options{id: "node1", parts: func(address string) cluster.Parts {
		return cluster.Parts{Listed: []cluster.Listed{{ID: "node1", Address: address, Port: 8081}}, Port: 8081}
	}}.mustOpen(t)
	require.Empty(t, n.mustFindOnce(t))
	require.Eventually(t, func() bool { return n.Node.IsLeader() && n.Node.Serving() }, 15*time.Second, 5*time.Millisecond)
	return n
}

// blank is what a node says that waits to be taken in.
func blank(id string) peer.Status {
	return peer.Status{Status: raft.Status{Identity: model.Identity{Node: id, Store: "s"}, Knows: model.CommandsKnown, State: "waiting"}, Port: 8089}
}

// member is what a running member says.
func member(id, cluster string) peer.Status {
	s := blank(id)
	s.Cluster, s.Running, s.State, s.LeaderID = cluster, true, "follower", "node1"
	return s
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
