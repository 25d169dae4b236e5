// Package transport is how Raft reaches the other nodes: one port for it and for peer HTTP, and connections whose ends know each other.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"versiond/certs"
	"versiond/group"
	"versiond/logs"
)

// strangersMax is how many connections may not have said yet what they are.
const strangersMax = 1000

// Listener is the one port on which other nodes reach this one, by Raft and by HTTP. The first
// byte of a connection tells which.
type Listener struct {
	listener *net.TCPListener
	http     *connQueue
	raft     *connQueue
	// strangers have not said yet what they are, or not proved that they may speak Raft here. When there
	// are too many, the oldest go: a node that is one of ours says it at once.
	strangers    *lru.Cache[net.Conn, struct{}]
	strangersMax atomic.Int64

	security Security // nil where nodes speak to each other without TLS
	tls      *tls.Config
	log      *slog.Logger                  // for what may repeat; nil where security is
	needsTLS atomic.Pointer[func() []byte] // nil until the node can answer

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	conns  sync.WaitGroup
}

// Listen opens a port without TLS. Connections are sorted from then on; Close ends it.
func Listen(address string) (*Listener, error) { return listen(address, &Listener{}) }

// ListenTLS is Listen for a port on which all nodes prove by certificates that they are nodes.
func ListenTLS(address string, security Security, log *slog.Logger) (*Listener, error) {
	return listen(address, &Listener{security: security, tls: security.Server(), log: logs.Calm(log)})
}

func listen(address string, l *Listener) (*Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the listener at %s is not one for TCP", address), listener.Close())
	}
	strangers, err := lru.New[net.Conn, struct{}](math.MaxInt) // what is too many is for admit to say
	if err != nil {
		return nil, err
	}
	l.listener, l.strangers = tcp, strangers
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.Bound(strangersMax)
	l.http, l.raft = newConnQueue(l), newConnQueue(l)
	l.conns.Go(l.acceptAll)
	return l, nil
}

// Bound lets at most so many connections stay that have not said yet what they are, or fewer.
func (l *Listener) Bound(most int) { l.strangersMax.Store(int64(min(most, strangersMax))) }

// RefusePlain makes answer that to HTTP without TLS on a port that wants it. Until then such a connection just ends.
func (l *Listener) RefusePlain(answer func() []byte) { l.needsTLS.Store(&answer) }

// HTTP returns the listener for peer HTTP.
func (l *Listener) HTTP() net.Listener { return l.http }

// Addr returns where the port really is, which tells when it was opened as port 0.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// Close closes the port and waits for the sorting to end. It may be called more than once.
func (l *Listener) Close() error {
	l.cancel()
	err := l.listener.Close()
	l.conns.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (l *Listener) acceptAll() {
	for l.ctx.Err() == nil {
		conn, err := l.listener.AcceptTCP()
		if err != nil {
			l.pause(err)
			continue
		}
		l.admit(conn)
		l.conns.Go(func() { l.sort(conn) })
	}
}

func (l *Listener) admit(conn net.Conn) {
	if l.strangers.Add(conn, struct{}{}); int64(l.strangers.Len()) > l.strangersMax.Load() {
		l.makeRoom()
	}
}

func (l *Listener) makeRoom() {
	if oldest, _, there := l.strangers.RemoveOldest(); there {
		_ = oldest.Close() // it sees the end of the connection
	}
}

// pause keeps a listener that cannot accept, for want of file descriptors say, from spinning.
func (l *Listener) pause(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	if group.NoFileLeft(err) {
		l.makeRoom()
	}
	group.Pause(l.ctx, 50*time.Millisecond)
}

func (l *Listener) sort(tcp *net.TCPConn) {
	stop := context.AfterFunc(l.ctx, func() { _ = tcp.Close() }) // unblocks the reads below
	defer stop()
	conn, err := l.secure(tcp)
	first := make([]byte, 1)
	if err == nil {
		_ = conn.SetReadDeadline(time.Now().Add(greetingTimeout)) // a conn that takes no deadline fails on the read
		_, err = io.ReadFull(conn, first)
	}
	if err != nil {
		l.strangers.Remove(tcp)
		_ = tcp.Close() // it never said anything
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	if first[0] == raftMagic {
		if !l.raft.put(conn) {
			l.strangers.Remove(tcp)
		}
		return
	}
	l.strangers.Remove(tcp)
	l.http.put(&prefixedConn{Stream: conn, prefix: first})
}

// known takes a connection from among those that have not said who they are.
func (l *Listener) known(conn net.Conn) {
	if secure, ok := conn.(*certs.Conn); ok {
		conn = secure.NetConn()
	}
	l.strangers.Remove(conn)
}

// prefixedConn returns once more the byte that was read to sort the connection. It can do what a TCP connection can, for
// those that ask it to end one side.
type prefixedConn struct {
	certs.Stream
	prefix []byte
}

func (c *prefixedConn) Read(p []byte) (int, error) {
	if len(c.prefix) == 0 || len(p) == 0 {
		return c.Stream.Read(p)
	}
	n := copy(p, c.prefix)
	c.prefix = c.prefix[n:]
	return n, nil
}

// connQueue is a net.Listener whose connections were accepted elsewhere.
type connQueue struct {
	owner  *Listener
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newConnQueue(owner *Listener) *connQueue {
	return &connQueue{owner: owner, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// put closes a connection that nobody takes, such as one for Raft on a node that does not run it yet, and
// reports whether somebody took it.
func (q *connQueue) put(conn net.Conn) bool {
	timer := time.NewTimer(greetingTimeout)
	defer timer.Stop()
	select {
	case q.conns <- conn:
		return true
	case <-q.closed:
	case <-q.owner.ctx.Done():
	case <-timer.C:
	}
	_ = conn.Close()
	return false
}

func (q *connQueue) Accept() (net.Conn, error) { return q.acceptUntil(nil) }

func (q *connQueue) acceptUntil(end <-chan struct{}) (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-end:
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
