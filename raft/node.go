package raft

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"versiond/group"
	"versiond/model"
	"versiond/raft/contact"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
	"versiond/raft/readindex"
	"versiond/raft/transport"
)

// dirLookInterval is how soon a node notices that its directory was taken from under it.
const dirLookInterval = time.Second

// NodeConfig is what a node needs besides its FSM. Directory, Listener and the functions behind
// Peers stay the caller's to close, after the node.
type NodeConfig struct {
	// Address is where the other nodes reach this one, as a host name or IP with a port.
	Address  string
	Dir      *datadir.Dir
	Listener *transport.Listener
	Peers    readindex.PeerTerms
	// Secret is what nodes of the cluster show each other; empty when the cluster has none.
	Secret string
	// DiscardStore is the statement or command by which an operator gets rid of the node's store.
	DiscardStore string
	// Store names the node's store to an operator: its file, or its database and server.
	Store  string
	Log    *slog.Logger
	Tuning Tuning
	// Observer may be nil.
	Observer Observer
	// wrapLog is raftlog.Options.Wrap, for tests of a failing disk.
	wrapLog func(raftlog.Files) raftlog.Files
}

// Node is one member of the cluster, or a node that waits to become one: without Raft state it runs
// no Raft until Bootstrap or Admit, because a blank hashicorp node grants its vote to anybody.
type Node struct {
	*engine   // who leads, and who are the members
	*progress // how far the store is
	*ending   // why the node cannot go on

	cfg      NodeConfig
	fsm      *VersionFSM
	stores   *raftlog.Stores
	contact  *contact.Contact
	distrust *transport.Distrust
	dirWatch *datadir.Watch

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	entering  sync.Mutex // held by whoever notes the cluster and starts Raft under it
	restoring sync.Mutex // held by whoever restores a backup
}

// NewRaftNode starts Raft over the FSM's stores if the node was a member before.
func NewRaftNode(cfg NodeConfig, fsm *VersionFSM) (*Node, error) {
	cfg.Dir.RemoveScratch(cfg.Log)
	watch, err := datadir.NewWatch(cfg.Dir, func() bool {
		last, err := fsm.stores.Log.LastIndex()
		return err == nil && last > 0
	})
	if err != nil {
		return nil, errors.Join(err, fsm.stores.Close())
	}
	engine := &engine{id: cfg.Dir.Identity().Node, disk: fsm.stores.Disk, changed: group.NewSignal()}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{
		engine: engine, progress: newProgress(), ending: fsm.ending, cfg: cfg, fsm: fsm, stores: fsm.stores, dirWatch: watch,
		contact: contact.New(engine.idAt, cfg.Log), distrust: transport.NewDistrust(cfg.Log), ctx: ctx, cancel: cancel,
	}
	if err := n.resume(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.wg.Go(n.watchDir)
	return n, nil
}

func (n *Node) resume() error {
	exists, err := n.stores.HasState()
	if err != nil || !exists {
		return err
	}
	if n.Identity().Cluster == "" {
		return fmt.Errorf("%w: %s holds a Raft log, but its %s names no cluster: put back the one that it had; where that is lost, %s",
			model.ErrCorrupt, n.cfg.Dir.Path(), datadir.IdentityFile, model.RejoinAdvice)
	}
	return n.start(nil)
}

// Bootstrap makes this node the first and only voter of a new cluster; model.ErrWrongNode when another one
// has taken it in meanwhile.
func (n *Node) Bootstrap(cluster string) error {
	alone := Alone(n.Identity().Node, n.cfg.Address)
	return n.enter(datadir.Membership{Cluster: cluster}, &alone)
}

// Admit starts Raft on a node that the cluster has taken in; the leader sends it everything. A node that is a
// member already notes whether it wants a vote; model.ErrWrongNode when it is one of another cluster.
func (n *Node) Admit(m datadir.Membership) error { return n.enter(m, nil) }

func (n *Node) enter(m datadir.Membership, bootstrap *raft.Configuration) error {
	n.entering.Lock()
	defer n.entering.Unlock()
	if n.Running() {
		return n.enterAgain(m)
	}
	if err := n.cfg.Dir.SetCluster(m); err != nil {
		return err
	}
	return n.start(bootstrap)
}

// enterAgain notes whether a member wants a vote.
func (n *Node) enterAgain(m datadir.Membership) error {
	switch noted := n.cfg.Dir.Noted(); {
	case m.Cluster != noted.Cluster:
		return fmt.Errorf("%w: this node is a member of cluster %s", model.ErrWrongNode, noted.Cluster)
	case m.Replica == noted.Replica:
		return nil
	default:
		return n.cfg.Dir.SetCluster(datadir.Membership{Cluster: noted.Cluster, Former: noted.Former, Replica: m.Replica})
	}
}

func (n *Node) start(bootstrap *raft.Configuration) error {
	return n.engine.start(func() (*running, error) {
		r, carrier, err := n.newRaft(bootstrap)
		if err != nil {
			return nil, fmt.Errorf("start Raft of %s: %w", n.id, err)
		}
		if bootstrap != nil {
			n.NoteKeepsChanges() // its log begins with that
		}
		n.wg.Go(func() { n.runApplier(r) })
		reads := readindex.New(n.ctx, readindex.Config{
			Node: n.id, Raft: r, Log: n.stores.Log, Peers: n.cfg.Peers, MayLead: n.disk.MayLead, Observe: n.fsm.observer.QuorumRound,
		})
		return &running{raft: r, disk: n.disk, transport: carrier, reads: reads, proposer: newProposer(n.ctx, r, n.fsm, n.progress)}, nil
	})
}

func (n *Node) newRaft(bootstrap *raft.Configuration) (*raft.Raft, *transport.Transport, error) {
	conf := n.cfg.Tuning.raftConfig(n.Identity().Node, contact.NewLogger(n.cfg.Log, n.contact))
	carrier := transport.New(transport.Config{
		Listener: n.cfg.Listener, Address: n.cfg.Address, Secret: n.cfg.Secret,
		Identity: n.Identity, IDAt: n.idAt, Distrust: n.distrust, Gate: n.disk, Log: conf.Logger,
	})
	if bootstrap != nil {
		if err := bootstrapLog(conf, n.stores, carrier, *bootstrap); err != nil {
			return nil, nil, errors.Join(err, carrier.Close())
		}
	}
	if err := n.noteSnapshot(); err != nil {
		return nil, nil, errors.Join(err, carrier.Close())
	}
	logs := n.stores.ForRaft()
	var r *raft.Raft
	err := raftlog.CatchFault(func() (err error) { // it panics on a log that it cannot read, and on a term that it cannot write
		r, err = raft.NewRaft(conf, n.fsm, logs, n.stores.Stable, n.stores.Snapshots, carrier)
		return err
	})
	if err != nil {
		return nil, nil, errors.Join(err, carrier.Close())
	}
	carrier.Serve(r)
	r.RegisterObserver(raft.NewObserver(nil, false, logs.Observe))
	r.RegisterObserver(raft.NewObserver(nil, false, n.contact.Observe))
	r.RegisterObserver(raft.NewObserver(nil, false, n.observe))
	return r, carrier, nil
}

func (n *Node) runApplier(r *raft.Raft) {
	a := &applier{
		decider: decider{service: n.fsm.service, logs: n.stores.Log}, fsm: n.fsm, queue: n.fsm.queue, progress: n.progress,
		committed: r.CommitIndex, dir: n.cfg.Dir, discardStore: n.cfg.DiscardStore, store: n.cfg.Store, log: n.cfg.Log,
	}
	if err := a.run(n.ctx); err != nil {
		n.fail(err)
	}
}

// noteSnapshot sets in the queue, before Raft starts, how far the newest snapshot reaches: hashicorp/raft
// will hand over nothing up to there.
func (n *Node) noteSnapshot() error {
	meta, err := raftlog.NewestSnapshot(n.stores.Snapshots)
	if errors.Is(err, raftlog.ErrNoSnapshot) {
		return nil
	}
	if err == nil {
		n.fsm.queue.startAt(meta.Index)
	}
	return err
}

// Identity returns whose data directory the node runs on. Its cluster is empty until it has one.
func (n *Node) Identity() model.Identity { return n.cfg.Dir.Identity() }

// Former lists the clusters that the node's cluster was recovered from.
func (n *Node) Former() []string { return n.cfg.Dir.Former() }

// Replica reports whether the node is a member that never wants a vote.
func (n *Node) Replica() bool { return n.cfg.Dir.Noted().Replica }

// Address is where the other nodes reach this one.
func (n *Node) Address() string { return n.cfg.Address }

// Close stops the node: proposals first, then Raft, then the applier, then the files. What was
// proposed and is still open is reported as of unknown outcome.
func (n *Node) Close() error {
	running := n.stop()
	n.contact.Close()
	n.fsm.queue.refuseViews()
	n.fsm.turns.close() // hashicorp/raft waits for the snapshot that is being taken
	var err error
	if running != nil {
		down := running.raft.Shutdown()
		n.disk.Close()            // what waits for the disk ends, and hashicorp's goroutines with it
		running.transport.Abort() // and what waits for other nodes
		err = errors.Join(down.Error(), running.transport.Close())
	}
	n.cancel()
	n.wg.Wait()
	n.fsm.queue.close()
	if running != nil {
		running.proposer.batcher.Close()
	}
	defer n.dirWatch.Close()
	return errors.Join(err, n.stores.Close())
}

// watchDir ends the node when its directory is not there any more. A look that hangs, as it may on a network's disk,
// keeps nobody waiting.
func (n *Node) watchDir() {
	for range group.Every(n.ctx, dirLookInterval) {
		var err error
		if group.Aside(n.ctx.Done(), func() { err = n.dirWatch.Look() }) && err != nil {
			n.fail(fmt.Errorf("%w; its last index was %d; put the directory back if it was moved; where it is gone, %s", err, n.LastIndex(), model.RejoinAdvice))
			return
		}
	}
}

// NoteDistrust remembers err if it says that this node and another one do not trust each other.
func (n *Node) NoteDistrust(err error) { n.distrust.Note(err) }

// Distrust returns the error of a node that has lately met one that does not trust it, or that it does not trust; nil
// elsewhere.
func (n *Node) Distrust() error { return n.distrust.Recent() }
