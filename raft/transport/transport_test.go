package transport

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Whatever a node sends that cannot write keeps the others from electing one that can.
func TestNothingIsSentWhileTheLogIsHeld(t *testing.T) {
	held := heldGate{released: make(chan struct{})}
	transport := &Transport{gate: held} // one that sends anything has nothing to send it with
	answers := make(chan error, 2)
	go func() { answers <- transport.AppendEntries("node2", "there", nil, nil) }()
	go func() { answers <- transport.InstallSnapshot("node2", "there", nil, nil, nil) }()
	close(held.released)
	require.ErrorIs(t, <-answers, errHeld)
	require.ErrorIs(t, <-answers, errHeld)
}

var errHeld = errors.New("held to the end")

// heldGate holds everything until it is released, and then says that the node closes.
type heldGate struct{ released chan struct{} }

func (g heldGate) Await() error { <-g.released; return errHeld }
func (heldGate) Started()       {}

// A follower whose peers were restarted must win the first election that it begins: each that fails costs
// writes a second and more, and a leader that hands over may be elected again meanwhile.
func TestVotesGoOverDeadConnections(t *testing.T) {
	layer := &cuttableLayer{Listener: mustListen(t)}
	peer := newTestTransport(t, layer)
	voter := &Transport{NetworkTransport: newTestTransport(t, &cuttableLayer{Listener: mustListen(t)})}
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
