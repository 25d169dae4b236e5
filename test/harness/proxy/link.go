package proxy

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pieceBytesMax is how much is read at once. A MySQL statement that commits is far shorter.
const pieceBytesMax = 32 << 10

type direction int

const (
	fromClient direction = iota
	fromServer
)

// link is one connection that is passed on.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	done           chan struct{}
	once           sync.Once
	// answerLost is set once the server's next answer is to be swallowed with the connection.
	answerLost atomic.Bool
}

// cut resets both ends.
func (l *link) cut() {
	l.once.Do(func() { close(l.done) })
	abort(l.client)
	abort(l.server)
}

// carry copies one direction until it ends, and the link with it.
func (l *link) carry(from, to net.Conn, d direction) {
	defer l.cut()
	piece := make([]byte, pieceBytesMax)
	for {
		n, err := from.Read(piece)
		if n > 0 && !l.pass(to, piece[:n], d) || err != nil {
			return
		}
	}
}

// pass hands one piece on, as the faults have it, and reports whether the link goes on.
func (l *link) pass(to io.Writer, piece []byte, d direction) bool {
	if d == fromClient {
		lost, answered := l.proxy.claimLoss(piece)
		if lost && !answered {
			return false
		}
		if lost {
			l.answerLost.Store(true)
		}
	} else if l.answerLost.Load() {
		return false
	}
	if !l.wait(len(piece), d) {
		return false
	}
	_, err := to.Write(piece)
	return err == nil
}

// wait holds a piece back for as long as the faults want it, which may change meanwhile.
func (l *link) wait(size int, d direction) bool {
	began := time.Now()
	for {
		f, changed := l.proxy.now()
		left := f.holds(size, d) - time.Since(began)
		if !f.stalled && left <= 0 {
			return true
		}
		var over <-chan time.Time // never, while stalled
		if !f.stalled {
			over = time.After(left)
		}
		select {
		case <-over:
		case <-changed:
		case <-l.done:
			return false
		}
	}
}

// holds is how long a piece takes.
func (f faults) holds(size int, d direction) time.Duration {
	var held time.Duration
	if d == fromServer {
		held = f.delay
	}
	if f.bytesPerSecond > 0 {
		held += time.Duration(size) * time.Second / time.Duration(f.bytesPerSecond)
	}
	return held
}
