package transport

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"versiond/model"
)

const (
	// connectionsPerPeer is how many idle connections to each peer are kept.
	connectionsPerPeer = 3
	// deadShowsWithin is far below any election timeout.
	deadShowsWithin = 100 * time.Millisecond
)

// ErrSnapshotHeld is a follower's answer to a snapshot that it did not install because it has all of it, and its log
// leads on from there.
var ErrSnapshotHeld = errors.New("this node has all that is in it, and a log that goes on behind it")

// Gate is the log's word on whether this node may show signs of life.
type Gate interface {
	// Await returns once no write of the log waits, with an error when the node closes.
	Await() error
	// Started is called when it is hashicorp's goroutines from now on that write.
	Started()
}

// Config is what a Transport needs. The listener stays the caller's to close.
type Config struct {
	Listener *Listener
	// Address is where the other nodes reach this one, and Secret what all of them show each other.
	Address, Secret string
	Identity        func() model.Identity
	// IDAt names the member that has an address, "" when none has.
	IDAt func(address string) string
	// Distrust is told of nodes that this one and that do not trust each other.
	Distrust *Distrust
	Gate     Gate
	Log      hclog.Logger
}

// Transport keeps a node whose log cannot be written from being taken for a leader that works, and
// hashicorp's fast path for heartbeats from what only its main loop may do.
type Transport struct {
	*raft.NetworkTransport
	gate Gate
	// raft is nil until Serve.
	raft    atomic.Pointer[raft.Raft]
	commits *commits
	layer   *streamLayer
}

// New begins to welcome the other nodes' connections; Close ends that.
func New(cfg Config) *Transport {
	layer := newStreamLayer(cfg)
	t := &Transport{gate: cfg.Gate, layer: layer, NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: layer, MaxPool: connectionsPerPeer, MaxRPCsInFlight: 1, Timeout: 5 * time.Second, Logger: cfg.Log,
	})}
	t.commits = newCommits(t.tellCommit, t.committed)
	return t
}

// Close closes the connections to the other nodes.
func (t *Transport) Close() error {
	t.commits.close()
	return t.NetworkTransport.Close()
}

// Abort ends what goes on over the connections to other nodes, and all that would begin: hashicorp/raft waits for it when it
// is shut down, also for minutes where another node is silent in the middle of a snapshot.
func (t *Transport) Abort() { t.layer.streams.close() }

// Serve sets which Raft the transport carries: NewRaft wants the transport first.
func (t *Transport) Serve(r *raft.Raft) { t.raft.Store(r) }

// AppendEntries waits while writes to the log do: the heartbeats of a leader that cannot write, which
// hashicorp/raft sends all the same, would keep the others from electing one that can.
func (t *Transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if err := t.gate.Await(); err != nil {
		return err
	}
	if isHeartbeat(args) {
		return t.NetworkTransport.AppendEntries(id, target, args, resp)
	}
	t.commits.sending(id)
	err := t.NetworkTransport.AppendEntries(id, target, args, resp)
	if err == nil && resp.Success {
		t.commits.accepted(id, target, args)
	}
	return err
}

// isHeartbeat reports whether a request only says that this node leads.
func isHeartbeat(args *raft.AppendEntriesRequest) bool {
	return args.PrevLogEntry == 0 && args.LeaderCommitIndex == 0 && len(args.Entries) == 0
}

func (t *Transport) tellCommit(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest) error {
	if err := t.gate.Await(); err != nil {
		return err
	}
	return t.NetworkTransport.AppendEntries(id, target, args, new(raft.AppendEntriesResponse))
}

func (t *Transport) committed() (commit, term uint64) {
	r := t.raft.Load()
	if r == nil {
		return 0, 0
	}
	commit = r.CommitIndex()
	return commit, r.CurrentTerm()
}

// InstallSnapshot waits in the same way: it counts as a sign of life, too. A follower that has the snapshot already is as far
// as one that has installed it; of its error only the text comes over the connection.
func (t *Transport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	if err := t.gate.Await(); err != nil {
		return err
	}
	err := t.NetworkTransport.InstallSnapshot(id, target, args, resp, data)
	if err != nil && strings.Contains(err.Error(), ErrSnapshotHeld.Error()) {
		resp.Success, err = true, nil
	}
	return err
}

// RequestVote asks once more where a kept connection turns out to be dead, and so does RequestPreVote.
// Hashicorp/raft does not: followers send nothing, so it is the first question of an election that finds out
// that a peer was restarted, and with three such connections kept for each peer, three elections come to nothing.
func (t *Transport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return overDeadConnections(func() error { return t.NetworkTransport.RequestVote(id, target, args, resp) })
}

// RequestPreVote does as RequestVote does.
func (t *Transport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return overDeadConnections(func() error { return t.NetworkTransport.RequestPreVote(id, target, args, resp) })
}

// overDeadConnections does what may be done twice until it went over a new connection. A dead one shows at
// once; what takes longer has another reason, and the election has no time for it.
func overDeadConnections(do func() error) (err error) {
	began := time.Now()
	for range connectionsPerPeer + 1 {
		if err = do(); err == nil || time.Since(began) > deadShowsWithin {
			return err
		}
	}
	return err
}

// SetHeartbeatHandler is the last thing that hashicorp/raft does before its goroutines begin; from
// then on it is they that write.
//
// A handler runs beside the main loop. That is right for a follower which hears from its leader once
// more, and wrong for all else: state and term would change under a main loop that is appending
// entries, which would then have the wrong term (hashicorp/raft#695). So a node that does not follow,
// or is in another term, is told nothing by a heartbeat. It learns of a new leader from that one's
// entries, which come within a tenth of a second, with or without commands, and go through the main loop.
func (t *Transport) SetHeartbeatHandler(handle func(raft.RPC)) {
	t.gate.Started()
	t.NetworkTransport.SetHeartbeatHandler(func(rpc raft.RPC) { t.Hear(rpc, handle) })
}

// Hear answers a heartbeat that may not go past the main loop, and hands on every other.
func (t *Transport) Hear(rpc raft.RPC, handle func(raft.RPC)) {
	r := t.raft.Load()
	request, ok := rpc.Command.(*raft.AppendEntriesRequest)
	if ok && (r == nil || r.State() != raft.Follower || r.CurrentTerm() != request.Term) {
		rpc.Respond(ignored(r), nil)
		return
	}
	handle(rpc)
}

func ignored(r *raft.Raft) *raft.AppendEntriesResponse {
	response := &raft.AppendEntriesResponse{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}}
	if r != nil {
		response.Term, response.LastLog = r.CurrentTerm(), r.LastIndex()
	}
	return response
}
