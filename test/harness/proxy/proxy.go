package proxy

import (
	"errors"
	"net"
	"sync"
)

// Proxy passes TCP connections on to a server. Its methods may be called from any goroutine; faults
// hold until Heal, for the connections that are open as for those to come.
type Proxy struct {
	addr, target string

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	links    map[*link]struct{}
	faults   faults
	changed  chan struct{} // closed and replaced whenever the faults change
	closed   bool
	wg       sync.WaitGroup
}

// Listen opens a proxy at addr, a host and a port that is its own for good, in front of the server at
// target. The server may be down. The caller closes the proxy.
func Listen(addr, target string) (*Proxy, error) {
	p := &Proxy{addr: addr, target: target, links: map[*link]struct{}{}, changed: make(chan struct{})}
	return p, p.open()
}

// Addr is the host and port at which the proxy listens.
func (p *Proxy) Addr() string { return p.addr }

// open listens, unless it does already.
func (p *Proxy) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = listener
	p.wg.Go(func() { p.accept(listener) })
	return nil
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(client) })
	}
}

// serve carries one connection until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		abort(client)
		return
	}
	l := &link{proxy: p, client: client, server: server, done: make(chan struct{})}
	if !p.add(l) {
		l.cut()
		return
	}
	defer p.remove(l)
	var wg sync.WaitGroup
	wg.Go(func() { l.carry(client, server, fromClient) })
	wg.Go(func() { l.carry(server, client, fromServer) })
	wg.Wait()
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener == nil {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// Close ends the listener and all connections, and waits for them.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	err := p.shut()
	p.mu.Unlock()
	p.Cut()
	p.wg.Wait()
	return err
}

// shut stops listening. The caller holds the lock.
func (p *Proxy) shut() error {
	if p.listener == nil {
		return nil
	}
	err := p.listener.Close()
	p.listener = nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// abort closes a connection so that its other end sees it reset, as when a machine forgets it.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the worst that follows is an end in good order
	}
	_ = conn.Close() // it is given up
}
