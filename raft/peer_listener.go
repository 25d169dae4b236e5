package raft

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// PeerListener is the one port on which other nodes reach this one, by Raft and by HTTP. The first
// byte of a connection tells which.
type PeerListener struct {
	listener net.Listener
	http     *connQueue
	raft     *connQueue
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	conns    sync.WaitGroup
}

// ListenPeers opens the port. Connections are sorted from then on; Close ends it.
func ListenPeers(address string) (*PeerListener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &PeerListener{listener: listener, ctx: ctx, cancel: cancel}
	l.http, l.raft = newConnQueue(l), newConnQueue(l)
	l.conns.Go(l.acceptAll)
	return l, nil
}

// HTTP gives the listener for peer HTTP.
func (l *PeerListener) HTTP() net.Listener { return l.http }

// Addr is where the port really is, which tells when it was opened as port 0.
func (l *PeerListener) Addr() net.Addr { return l.listener.Addr() }

// Close closes the port and waits for the sorting to end. It may be called more than once.
func (l *PeerListener) Close() error {
	l.cancel()
	err := l.listener.Close()
	l.conns.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (l *PeerListener) acceptAll() {
	for l.ctx.Err() == nil {
		conn, err := l.listener.Accept()
		if err != nil {
			l.pause(err)
			continue
		}
		l.conns.Go(func() { l.sort(conn) })
	}
}

// pause keeps a listener that cannot accept, for want of file descriptors say, from spinning.
func (l *PeerListener) pause(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case <-time.After(50 * time.Millisecond):
	case <-l.ctx.Done():
	}
}

func (l *PeerListener) sort(conn net.Conn) {
	first := make([]byte, 1)
	stop := context.AfterFunc(l.ctx, func() { _ = conn.Close() }) // unblocks the read below
	defer stop()
	_ = conn.SetReadDeadline(time.Now().Add(greetingTimeout)) // a conn that takes no deadline fails on the read
	if _, err := io.ReadFull(conn, first); err != nil {
		_ = conn.Close() // it never said anything
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	if first[0] == raftMagic {
		l.raft.put(conn)
		return
	}
	l.http.put(&prefixedConn{Conn: conn, prefix: first})
}

// prefixedConn gives back the byte that was read to sort the connection.
type prefixedConn struct {
	net.Conn
	prefix []byte
}

func (c *prefixedConn) Read(p []byte) (int, error) {
	if len(c.prefix) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.prefix)
	c.prefix = c.prefix[n:]
	return n, nil
}

// connQueue is a net.Listener whose connections were accepted elsewhere.
type connQueue struct {
	owner  *PeerListener
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newConnQueue(owner *PeerListener) *connQueue {
	return &connQueue{owner: owner, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (q *connQueue) put(conn net.Conn) {
	select {
	case q.conns <- conn:
	case <-q.closed:
		_ = conn.Close()
	case <-q.owner.ctx.Done():
		_ = conn.Close()
	}
}

func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.closed:
	case <-q.owner.ctx.Done():
	}
	return nil, net.ErrClosed
}

func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

func (q *connQueue) Addr() net.Addr { return q.owner.Addr() }
