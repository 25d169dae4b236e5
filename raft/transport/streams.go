package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// silenceMax is how long a node may say nothing in the middle of what it asks.
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
	// silence is how long the other side may say nothing in the middle of a request, 0 for any time. Hashicorp/raft reads a
	// snapshot on its main loop, without a limit: meanwhile the node neither votes nor stops, though who sends it may be frozen.
	silence time.Duration
	// midway is set when some of a request has come, and nothing was answered yet. Requests come one at a time.
	midway bool
}

// add returns a connection that is closed with the others; net.ErrClosed, when they are closed already.
func (all *streams) add(conn net.Conn, silence time.Duration) (net.Conn, error) {
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

// Read implements net.Conn. To hashicorp/raft silence is an end like any other.
func (s *stream) Read(p []byte) (int, error) {
	if s.silence == 0 {
		return s.Conn.Read(p)
	}
	var end time.Time // none: between requests a connection may be idle for as long as it is kept
	if s.midway {
		end = time.Now().Add(s.silence)
	}
	if err := s.SetReadDeadline(end); err != nil {
		return 0, err
	}
	n, err := s.Conn.Read(p)
	s.midway = s.midway || n > 0
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// Write implements net.Conn.
func (s *stream) Write(p []byte) (int, error) {
	s.midway = false
	return s.Conn.Write(p)
}
