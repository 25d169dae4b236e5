package service

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"versiond/group"
	"versiond/model"
	"versiond/raft"
	"versiond/service/changes"
	"versiond/service/cluster"
	"versiond/service/integrity"
)

// RaftInitializer starts the Raft node that a VersionService proposes through.
type RaftInitializer interface {
	// InitRaft may call the service's Internal methods from the moment it is called.
	InitRaft(service raft.VersionServiceInterface) (*raft.Node, error)
}

// PeerClient asks other nodes. Errors match the sentinels of package model.
type PeerClient interface {
	cluster.PeerClient
	ReadIndex(ctx context.Context, address string, level model.Level, ack model.TermAck) (uint64, error)
	Read(ctx context.Context, address string, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error)
	Commands(ctx context.Context, address string, units []model.Unit) ([]model.UnitOutcome, uint64, error)
	Restore(ctx context.Context, address string, backup io.Reader, size int64, opts model.RestoreOptions) (model.Restored, error)
}

// Settings is what a VersionService needs to know of its node and its cluster.
type Settings struct {
	// Listed are the nodes of the configuration in their order; the first one may begin a cluster.
	Listed []Listed
	// Join are peer addresses of members to ask, for a node that is not listed.
	Join []string
	// Port is this node's public HTTP port.
	Port int
	// Release is the version of the program.
	Release string
	// PeriodicDeleteInterval and ExamineSize pace the upkeep of MemoryDB.
	PeriodicDeleteInterval time.Duration
	ExamineSize            int
	// WatchersMax bounds those who watch this node at a time; 0 is changes.WatchersMax.
	WatchersMax int
	Observer    Observer
}

// Listed is one node of the configuration.
type Listed = cluster.Listed

// VersionService joins the store, the caches and the Raft node of one versiond node.
type VersionService struct {
	*stateMachine
	node     *raft.Node
	peers    PeerClient
	settings Settings
	log      *slog.Logger

	cluster *cluster.Cluster
	guard   *integrity.Guard
	rows    *rows
	levels  *levelWatch
	writes  *writer
	reads   *reader

	cancel context.CancelFunc // ends what goes on behind requests
	// backups and restores bound what holds a view of the database, or a whole backup on disk.
	backups, restores *group.Gate
}

// NewVersionService joins the parts and starts the Raft node. Run must be called for the node to find
// its cluster; Close ends it.
func NewVersionService(settings Settings, mysql *VersionMysqlService, redis *VersionRedisService, initializer RaftInitializer, peers PeerClient, log *slog.Logger) (*VersionService, error) {
	if mysql == nil || redis == nil || initializer == nil || peers == nil || log == nil || settings.Observer == nil {
		return nil, errors.New("the version service needs both services, the Raft initializer, the peer client, a logger and an observer")
	}
	observer := settings.Observer
	machine := newStateMachine(mysql, redis, cmp.Or(settings.WatchersMax, changes.WatchersMax), observer.Diverged, log)
	node, err := initializer.InitRaft(machine)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &VersionService{
		stateMachine: machine, node: node, peers: peers, settings: settings, log: log, cancel: cancel,
		backups: group.NewGate(backupsMax, 0), restores: group.NewGate(1, 0),
		rows: &rows{node: node, mysql: mysql, trust: machine.trust, observer: observer},
	}
	s.cluster = cluster.New(cluster.Parts{
		Node: node, Peers: peers, Log: log, Listed: settings.Listed, Join: settings.Join, Port: settings.Port,
		Self: s.Status, HeldCluster: mysql.heldCluster, Stopped: ctx.Done(),
	})
	s.guard = &integrity.Guard{
		Trust: machine.trust, Node: node, Log: log, State: mysql.state, ReadRows: s.rows.checkAll,
		Ask: s.cluster.AskMembers, LeadElsewhere: s.cluster.LeadElsewhere,
	}
	s.writes = newWriter(ctx, node, s.cluster, peers, observer)
	s.reads = (&reader{
		node: node, cluster: s.cluster, peers: peers, level: machine.level, guard: s.guard, observer: observer,
		lookup: &lookup{node: node, mysql: mysql, redis: redis, trust: machine.trust, candidates: machine.candidates},
	}).start(ctx)
	s.levels = &levelWatch{level: machine.level, node: node, serving: s.guard.Serving, indexOf: s.reads.indexOnce, redis: redis}
	return s, nil
}

// Run finds the node its cluster, looks after members and store while it leads, and keeps the caches,
// until the context ends or the node cannot go on; the error then says why.
func (s *VersionService) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return s.cluster.Run(ctx) })
	tasks.Go(func() error { s.levels.watch(ctx); return nil })
	tasks.Go(func() error { s.guard.Run(ctx); return nil })
	tasks.Go(func() error {
		s.redis.Run(ctx, s.settings.PeriodicDeleteInterval, s.settings.ExamineSize)
		return nil
	})
	tasks.Go(func() error {
		select {
		case <-s.node.Failed():
			return s.node.Err()
		case <-ctx.Done():
			return nil
		}
	})
	return tasks.Wait()
}

// HandOver transfers leadership to another voter if this node leads, so that a stop goes unnoticed.
func (s *VersionService) HandOver(ctx context.Context) { s.cluster.HandOver(ctx) }

// Close stops the Raft node and all that waits on it.
func (s *VersionService) Close() error {
	s.cancel()
	s.EndWatches()
	s.writes.forwarder.close()
	s.reads.forwarder.close()
	return s.node.Close()
}

// NodeID returns the name of this node.
func (s *VersionService) NodeID() string { return s.node.Identity().Node }

// AppliedIndex returns the last log index whose effect this node's store holds.
func (s *VersionService) AppliedIndex() uint64 { return s.node.AppliedIndex() }
