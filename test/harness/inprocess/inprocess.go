// Package inprocess runs whole nodes inside a test: real Raft, SQLite, services and both HTTP ports. It is for tests of
// what talks to nodes, where a process each would take longer than the test.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"versiond/controller"
	"versiond/dao"
	"versiond/db"
	"versiond/metrics"
	"versiond/peer"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/routers"
	"versiond/server"
	"versiond/service"
)

// connectionsMax is more than a test makes.
const connectionsMax = 256

// Cluster is a number of nodes that make a cluster.
type Cluster struct {
	// URLs are the public addresses of the nodes, node1's first.
	URLs  []string
	nodes []*node
}

// Start begins a cluster of nodes with their state under dir, which know these tokens. It returns when all are ready.
func Start(dir string, nodes int, tokens ...controller.Token) (*Cluster, error) {
	c := &Cluster{}
	for i := range nodes {
		n, err := listen(fmt.Sprintf("node%d", i+1))
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.nodes = append(c.nodes, n)
		c.URLs = append(c.URLs, "http://"+n.public.Addr().String())
	}
	for _, n := range c.nodes {
		if err := n.start(dir, c.listed(), tokens); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	for _, url := range c.URLs {
		if err := awaitReady(url); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

func (c *Cluster) listed() (all []service.Listed) {
	for _, n := range c.nodes {
		all = append(all, service.Listed{ID: n.id, Address: n.peer.Addr().String(), Port: n.port()})
	}
	return all
}

// Stop ends the node with this number, counted from 0.
func (c *Cluster) Stop(i int) error { return c.nodes[i].close() }

// Close ends all nodes.
func (c *Cluster) Close() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}

// node is one of them. undo ends it, in reverse order.
type node struct {
	id     string
	public net.Listener
	peer   *transport.Listener
	undo   []func() error
}

func listen(id string) (*node, error) {
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	peerPort, err := transport.Listen("127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, public.Close())
	}
	n := &node{id: id, public: public, peer: peerPort}
	n.later(func() error { return ignoreClosed(public.Close()) })
	n.later(peerPort.Close)
	return n, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (n *node) port() int { return n.public.Addr().(*net.TCPAddr).Port }

func (n *node) later(undo func() error) { n.undo = append(n.undo, undo) }

func (n *node) close() error {
	var errs []error
	for i := len(n.undo) - 1; i >= 0; i-- {
		errs = append(errs, n.undo[i]())
	}
	n.undo = nil
	return errors.Join(errs...)
}

func (n *node) start(root string, listed []service.Listed, tokens []controller.Token) error {
	dir, err := datadir.Open(filepath.Join(root, n.id), n.id)
	if err != nil {
		return err
	}
	n.later(dir.Close)
	peers := peer.NewClient(func() string { return dir.Identity().Cluster }, "", nil)
	n.later(func() error { peers.Close(); return nil })
	s, measures, err := n.openService(dir, peers, listed)
	if err != nil {
		return err
	}
	n.later(s.Close)
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	n.later(func() error { stop(); return <-ended })
	return n.serve(s, measures, tokens)
}

func (n *node) openService(dir *datadir.Dir, peers *peer.Client, listed []service.Listed) (*service.VersionService, *metrics.Metrics, error) {
	log, path := slog.New(slog.DiscardHandler), filepath.Join(dir.Path(), db.SQLiteFile)
	gormDB, err := db.OpenSQLite(path)
	if err != nil {
		return nil, nil, err
	}
	n.later(func() error { return db.Close(gormDB) })
	memory, errMemory := dao.NewMemoryDB(1000, 0.1, time.Minute, time.Now)
	mysqlService, errMysql := service.NewVersionMysqlService(&dao.VersionMysqlDao{DB: gormDB})
	redisService, errRedis := service.NewVersionRedisService(memory, nil, log)
	if err := errors.Join(errMemory, errMysql, errRedis); err != nil {
		return nil, nil, err
	}
	measures := metrics.New(n.id, "test")
	initializer := raft.RaftInitializerImpl{Config: raft.NodeConfig{
		Address: n.peer.Addr().String(), Dir: dir, Listener: n.peer, Peers: peers, Store: path, Log: log, Observer: measures.Raft,
		Tuning: raft.Tuning{SnapshotInterval: time.Hour, SnapshotThreshold: 1 << 30, TrailingLogs: 1 << 20, SegmentBytes: 1 << 20},
	}}
	settings := service.Settings{Listed: listed, Port: n.port(), Release: "test", PeriodicDeleteInterval: time.Second, ExamineSize: 20, Observer: measures.Service}
	s, err := service.NewVersionService(settings, mysqlService, redisService, initializer, peers, log)
	return s, measures, err
}

func (n *node) serve(s *service.VersionService, measures *metrics.Metrics, tokens []controller.Token) error {
	log := slog.New(slog.DiscardHandler)
	measures.Watch(s.Measures)
	versions, err := controller.NewVersionController(s, log, controller.Options{
		Access:  controller.Access{Tokens: tokens},
		Metrics: controller.Metrics{Public: measures.Public, Peer: measures.Peer, Scrape: measures.Handler(log)},
	})
	if err != nil {
		return err
	}
	peers, err := controller.NewPeerController(s, "")
	if err != nil {
		return err
	}
	defer n.later(func() error { s.EndWatches(); return nil }) // before the ports are drained
	n.serveOn(server.New(server.Port{Listener: n.public, ConnectionsMax: connectionsMax, AsProblem: versions.AsProblem}, routers.SetUpVersionRouter(versions), log))
	n.serveOn(server.New(server.Port{Listener: n.peer.HTTP(), ConnectionsMax: connectionsMax, AsProblem: versions.AsProblem}, routers.SetUpRaftRouter(versions, peers), log))
	return nil
}

func (n *node) serveOn(port *server.Server) {
	ended := make(chan error, 1)
	go func() { ended <- port.Serve() }()
	n.later(func() error { port.Drain(); return <-ended })
}

// readyTimeout is long for a busy machine.
const readyTimeout = 30 * time.Second

func awaitReady(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	rest := time.NewTicker(10 * time.Millisecond)
	defer rest.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-rest.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", url, ctx.Err())
		}
	}
}
