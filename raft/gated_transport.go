package raft

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// connectionsPerPeer is how many idle connections to each peer are kept.
	connectionsPerPeer = 3
	// deadShowsWithin is far below any election timeout.
	deadShowsWithin = 100 * time.Millisecond
)

// gatedTransport keeps a node whose log cannot be written from being taken for a leader that works, and
// hashicorp's fast path for heartbeats from what only its main loop may do.
type gatedTransport struct {
	*raft.NetworkTransport
	disk *disk
	// raft is nil until it runs.
	raft atomic.Pointer[raft.Raft]
}

// AppendEntries waits while writes to the log do: the heartbeats of a leader that cannot write, which
// hashicorp/raft sends all the same, would keep the others from electing one that can.
func (t *gatedTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if err := t.disk.await(); err != nil {
		return err
	}
	return t.NetworkTransport.AppendEntries(id, target, args, resp)
}

// InstallSnapshot waits in the same way: it counts as a sign of life, too.
func (t *gatedTransport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	if err := t.disk.await(); err != nil {
		return err
	}
	return t.NetworkTransport.InstallSnapshot(id, target, args, resp, data)
}

// RequestVote asks once more where a kept connection turns out to be dead, and so does RequestPreVote.
// Hashicorp/raft does not: followers send nothing, so it is the first question of an election that finds out
// that a peer was restarted, and with three such connections kept for each peer, three elections come to nothing.
func (t *gatedTransport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return overDeadConnections(func() error { return t.NetworkTransport.RequestVote(id, target, args, resp) })
}

// RequestPreVote see RequestVote.
func (t *gatedTransport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
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
// entries, which come within milliseconds, with or without commands, and go through the main loop.
func (t *gatedTransport) SetHeartbeatHandler(handle func(raft.RPC)) {
	t.disk.running.Store(true)
	t.NetworkTransport.SetHeartbeatHandler(func(rpc raft.RPC) { t.hear(rpc, handle) })
}

func (t *gatedTransport) hear(rpc raft.RPC, handle func(raft.RPC)) {
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
