package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"versiond/certs"
	"versiond/config"
	"versiond/controller"
	"versiond/metrics"
	"versiond/peer"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/routers"
	"versiond/server"
	"versiond/service"
	"versiond/service/changes"
)

// handOverTimeout bounds the leader's attempt to hand over before it stops.
const handOverTimeout = 1500 * time.Millisecond

// closers undoes what was opened, in reverse order.
type closers []func() error

func (c *closers) add(close func() error) { *c = append(*c, close) }

func (c *closers) close() error {
	var errs []error
	for i := len(*c) - 1; i >= 0; i-- {
		errs = append(errs, (*c)[i]())
	}
	*c = nil
	return errors.Join(errs...)
}

// runningNode is one node with everything open.
type runningNode struct {
	service      *service.VersionService
	metrics      *metrics.Metrics
	public, peer *server.Server
	listener     net.Listener
	peerListener *transport.Listener
	versions     *controller.VersionController
	// tls is nil where clients are served by plain HTTP, and peerTLS where nodes speak without TLS.
	tls, peerTLS *certs.Keeper
}

// openNode opens one node from the bottom up; parts undoes it, also after an error.
func openNode(cfg config.Config, node config.Node, log *slog.Logger, parts *closers) (*runningNode, error) {
	dir, err := datadir.Open(filepath.Join(cfg.DataDir, node.ID), node.ID)
	if err != nil {
		return nil, err
	}
	parts.add(dir.Close)
	n := &runningNode{metrics: metrics.New(node.ID, release)}
	if err := n.readCertificates(cfg, node, log); err != nil {
		return nil, err
	}
	if err := n.listen(cfg, node, log, parts); err != nil {
		return nil, err
	}
	mysqlService, redisService, err := openServices(cfg, node, dir, log, parts)
	if err != nil {
		return nil, err
	}
	peers := peer.NewClient(func() string { return dir.Identity().Cluster }, cfg.Cluster.Secret.Reveal(), n.peerTLS)
	parts.add(func() error { peers.Close(); return nil })
	store, discard := storeWords(cfg, node, dir)
	initializer := raft.RaftInitializerImpl{Config: raft.NodeConfig{
		Address: node.Address, Dir: dir, Listener: n.peerListener, Peers: peers, Secret: cfg.Cluster.Secret.Reveal(),
		DiscardStore: discard, Store: store, Log: log, Tuning: tuning(cfg.Raft), Observer: n.metrics.Raft,
	}}
	settings := serviceSettings(cfg, node)
	settings.Observer = n.metrics.Service
	n.service, err = service.NewVersionService(settings, mysqlService, redisService, initializer, peers, log)
	if err != nil {
		return nil, err
	}
	parts.add(n.service.Close)
	return n, n.route(cfg, node, log)
}

// listen opens both ports; an error names the port and the setting that would change it.
func (n *runningNode) listen(cfg config.Config, node config.Node, log *slog.Logger, parts *closers) (err error) {
	host := cfg.BindHost(node)
	_, peerPort, err := net.SplitHostPort(node.Address)
	if err != nil {
		return fmt.Errorf("raft.nodes[].address: %w", err)
	}
	portKey, addressKey := "raft.nodes[].port", "raft.nodes[].address"
	if !cfg.Listed(node.ID) {
		portKey, addressKey = "--port", "--address"
	}
	if n.peerListener, err = n.listenPeer(net.JoinHostPort(host, peerPort), log); err != nil {
		return server.NotListening(host, peerPort, "peer", addressKey, err)
	}
	parts.add(n.peerListener.Close)
	port := strconv.Itoa(node.Port)
	if n.listener, err = net.Listen("tcp", net.JoinHostPort(host, port)); err != nil {
		return server.NotListening(host, port, "HTTP", portKey, err)
	}
	parts.add(func() error { return ignoreClosed(n.listener.Close()) })
	return nil
}

// ignoreClosed is for a listener that its server has closed already.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func tuning(r config.Raft) raft.Tuning {
	return raft.Tuning{SnapshotInterval: r.SnapshotInterval, SnapshotThreshold: uint64(r.SnapshotThreshold), TrailingLogs: uint64(r.TrailingLogs), SegmentBytes: r.SegmentBytes}
}

func serviceSettings(cfg config.Config, node config.Node) service.Settings {
	listed := make([]service.Listed, len(cfg.Raft.Nodes))
	for i, n := range cfg.Raft.Nodes {
		listed[i] = service.Listed{ID: n.ID, Address: n.Address, Port: n.Port}
	}
	if !cfg.Listed(node.ID) {
		listed = nil // a node that is not listed neither begins a cluster nor asks one by itself
	}
	return service.Settings{
		Listed: listed, Join: cfg.Join, Port: node.Port, Release: release,
		PeriodicDeleteInterval: cfg.Server.PeriodicDeleteInterval, ExamineSize: cfg.Server.ExamineSize,
		// The rest of the connections are for those who are answered and go.
		WatchersMax: min(changes.WatchersMax, server.ConnectionsMax(len(cfg.LocalNodes()))/2),
	}
}

// route makes the servers of both ports.
func (n *runningNode) route(cfg config.Config, node config.Node, log *slog.Logger) error {
	n.metrics.Watch(n.service.Measures)
	hosts := cfg.HostNames(node)
	versions, err := controller.NewVersionController(n.service, log, controller.Options{
		Access: n.access(cfg.Auth), Audit: cfg.Log.Audit, PublicQuestions: cfg.Auth.Public == config.PublicCheck, Hosts: hosts, Origins: cfg.Server.TrustedOrigins,
		Metrics: controller.Metrics{Public: n.metrics.Public, Peer: n.metrics.Peer, Scrape: n.metrics.Handler(log)},
	})
	if err != nil {
		return err
	}
	peers, err := controller.NewPeerController(n.service, cfg.Cluster.Secret.Reveal(), hosts...)
	if err != nil {
		return err
	}
	most := server.ConnectionsMax(len(cfg.LocalNodes()))
	public := server.Port{Listener: n.listener, TLS: n.tls.Server(), TLSSetting: "tls.certFile", ConnectionsMax: most, AsProblem: versions.AsProblem, NeedsTLS: versions.NeedsTLS}
	n.tls.WhenChanged(versions.RecheckLasting)
	n.versions, n.public = versions, server.New(public, routers.SetUpVersionRouter(versions), log)
	n.peer = server.New(server.Port{Listener: n.peerListener.HTTP(), TLSSetting: "cluster.certFile", ConnectionsMax: most, AsProblem: versions.AsProblem}, routers.SetUpRaftRouter(versions, peers), log)
	n.peerListener.Bound(most)
	n.peerListener.RefusePlain(versions.PeerNeedsTLS)
	return nil
}

func (n *runningNode) access(auth config.Auth) (a controller.Access) {
	for _, t := range auth.Tokens {
		a.Tokens = append(a.Tokens, controller.Token{Name: t.Name, Role: t.Role, Secret: t.Secret.Reveal()})
	}
	for _, c := range auth.Certificates {
		a.Certificates = append(a.Certificates, controller.Certificate{Name: c.Name, Role: c.Role})
	}
	if n.tls != nil {
		a.Vouches = n.tls.Vouches
	}
	return a
}

// renew takes over the tokens and names of certificates in the settings.
func (n *runningNode) renew(cfg config.Config) { n.versions.Renew(n.access(cfg.Auth)) }

// serve answers requests on both ports. A server that fails stops the node.
func (n *runningNode) serve(stop context.CancelCauseFunc) *sync.WaitGroup {
	var wg sync.WaitGroup
	for _, s := range []*server.Server{n.public, n.peer} {
		wg.Go(func() {
			if err := s.Serve(); err != nil {
				stop(err)
			}
		})
	}
	return &wg
}

// drain ends streams and lets requests finish, clients' first: they may need the peer port. A leader that stops, or cannot go on, while
// the others do hands over before.
func (n *runningNode) drain(handOver bool) {
	if handOver {
		ctx, cancel := context.WithTimeout(context.Background(), handOverTimeout)
		n.service.HandOver(ctx)
		cancel()
	}
	n.service.EndWatches()
	n.public.Drain()
	n.peer.Drain()
}
