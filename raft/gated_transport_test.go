package raft

import (
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A heartbeat of a later leader must change nothing beside the main loop of a node that leads or is in
// another term: entries that are being appended would get the wrong term, and logs would differ for
// good (hashicorp/raft#695). The main loop hears of that leader from its entries.
func TestHeartbeatsChangeNeitherStateNorTerm(t *testing.T) {
	c := mustTrio(t)
	leader := c.nodes[0]
	mustPropose(t, leader, "a")
	r := leader.current().raft
	term := r.CurrentTerm()
	response := make(chan raft.RPCResponse, 1)
	var called int
	count := func(rpc raft.RPC) {
		called++
		rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	}
	beat := func(term uint64) raft.RPC {
		return raft.RPC{RespChan: response, Command: &raft.AppendEntriesRequest{Term: term}}
	}
	leader.current().transport.hear(beat(term+7), count)
	answer := (<-response).Response.(*raft.AppendEntriesResponse)
	require.False(t, answer.Success)
	require.Equal(t, term, answer.Term)
	require.Zero(t, called)

	follower := c.nodes[1].current()
	follower.transport.hear(beat(term+7), count)
	<-response
	require.Zero(t, called, "a later term is for the main loop, which may be writing a vote")
	follower.transport.hear(beat(follower.raft.CurrentTerm()), count)
	require.Equal(t, 1, called, "a follower hears its leader")
}

// Whatever a node sends that cannot write keeps the others from electing one that can.
func TestNothingIsSentWhileTheLogIsHeld(t *testing.T) {
	d := newDisk(t.TempDir(), slog.New(slog.DiscardHandler), unobserved{}, func(error) {})
	transport := &gatedTransport{disk: d} // one that sends anything has nothing to send it with
	d.hold(errHangs, false)
	answers := make(chan error, 2)
	go func() { answers <- transport.AppendEntries("node2", "there", nil, nil) }()
	go func() { answers <- transport.InstallSnapshot("node2", "there", nil, nil, nil) }()
	d.close()
	require.ErrorIs(t, <-answers, errClosing)
	require.ErrorIs(t, <-answers, errClosing)
}

// A follower whose peers were restarted must win the first election that it begins: each that fails costs
// writes a second and more, and a leader that hands over may be elected again meanwhile.
func TestVotesGoOverDeadConnections(t *testing.T) {
	layer := &cuttableLayer{Listener: mustListen(t)}
	peer := newTestTransport(t, layer)
	voter := &gatedTransport{NetworkTransport: newTestTransport(t, &cuttableLayer{Listener: mustListen(t)})}
	ask := func() error {
		return voter.RequestVote("peer", peer.LocalAddr(), &raft.RequestVoteRequest{Term: 7}, new(raft.RequestVoteResponse))
	}
	var asked errgroup.Group
	for range connectionsPerPeer {
		asked.Go(ask)
	}
	var questions []raft.RPC
	for range connectionsPerPeer { // all at once, so that each has a connection of its own
		questions = append(questions, <-peer.Consumer())
	}
	for _, q := range questions {
		q.Respond(&raft.RequestVoteResponse{Granted: true}, nil)
	}
	require.NoError(t, asked.Wait())

	layer.cut()
	go func() {
		question := <-peer.Consumer()
		question.Respond(&raft.RequestVoteResponse{Granted: true}, nil)
	}()
	require.NoError(t, ask())
}

func mustListen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

func newTestTransport(t *testing.T, layer raft.StreamLayer) *raft.NetworkTransport {
	t.Helper()
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: layer, MaxPool: connectionsPerPeer, Timeout: 10 * time.Second, Logger: hclog.NewNullLogger(),
	})
	t.Cleanup(func() { require.NoError(t, transport.Close()) })
	return transport
}

// cuttableLayer can end all connections that it has accepted, as a process that is restarted does.
type cuttableLayer struct {
	net.Listener

	mu       sync.Mutex
	accepted []net.Conn
}

func (l *cuttableLayer) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.accepted = append(l.accepted, conn)
	}
	return conn, err
}

func (l *cuttableLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout("tcp", string(address), timeout)
}

func (l *cuttableLayer) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.accepted {
		_ = conn.Close()
	}
}
