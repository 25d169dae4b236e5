package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// silenceMax is how long a node that leads may say nothing over a connection. Those that are in use hear it ten times a second.
const silenceMax = 10 * time.Second

// streams are the connections that Raft has. The zero value has none. Any goroutine may call the methods.
type streams struct {
	mu     sync.Mutex
	open   map[*stream]struct{}
	closed bool
}

// stream is one of them.
type stream struct {
	net.Conn
	all *streams
	// silence is how long the other side may say nothing while it is listened to, 0 for any time. Hashicorp/raft reads a
	// snapshot on its main loop, without a limit: meanwhile the node neither votes nor stops, though who sends it may be frozen.
	silence time.Duration
}

// add has a connection closed with the others; net.ErrClosed, when they are closed already.
func (all *streams) add(conn net.Conn, silence time.Duration) (*stream, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	if all.open == nil {
		all.open = map[*stream]struct{}{}
	}
	s := &stream{Conn: conn, all: all, silence: silence}
	all.open[s] = struct{}{}
	return s, nil
}

// close closes all there are, and all to come.
func (all *streams) close() {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.closed = true
	for s := range all.open {
		go func() { _ = s.Conn.Close() }() // whoever uses it sees that; over TLS it may take a while to say goodbye
	}
}

// Close implements net.Conn.
func (s *stream) Close() error {
	s.all.mu.Lock()
	delete(s.all.open, s)
	s.all.mu.Unlock()
	return s.Conn.Close()
}

// Read implements net.Conn. Silence is an end like any other: hashicorp/raft would log an error for a connection that
// nobody needs any more.
func (s *stream) Read(p []byte) (int, error) {
	if s.silence == 0 {
		return s.Conn.Read(p)
	}
	if err := s.SetReadDeadline(time.Now().Add(s.silence)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}
