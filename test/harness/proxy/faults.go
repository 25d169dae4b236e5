package proxy

import (
	"bytes"
	"time"
)

// faults is what is wrong with the proxy's connections. The zero value is a good network.
type faults struct {
	stalled        bool
	delay          time.Duration // of each piece that the server sends
	bytesPerSecond int           // 0 for no limit
	loss           *loss
}

// loss is a connection to be cut at a place in what the client says.
type loss struct {
	pattern []byte
	// answered lets the server have the piece with the pattern, and swallows its answer.
	answered bool
	left     int
}

// Refuse cuts all connections and refuses new ones, as a port does on which nobody listens.
func (p *Proxy) Refuse() error {
	p.mu.Lock()
	err := p.shut()
	p.mu.Unlock()
	p.Cut()
	return err
}

// Cut resets the connections that are open. New ones can be made.
func (p *Proxy) Cut() {
	p.mu.Lock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	p.mu.Unlock()
	for _, l := range links {
		l.cut()
	}
}

// Stall lets nothing through in either direction, while connections stay open and can be made.
func (p *Proxy) Stall() { p.change(func(f *faults) { f.stalled = true }) }

// Slow delays each piece of what the server sends, which makes every round trip this much longer.
func (p *Proxy) Slow(delay time.Duration) { p.change(func(f *faults) { f.delay = delay }) }

// Throttle lets only so many bytes a second through, for each connection and direction.
func (p *Proxy) Throttle(bytesPerSecond int) {
	p.change(func(f *faults) { f.bytesPerSecond = bytesPerSecond })
}

// LoseRequest cuts the next count connections whose client says pattern, before the server hears it.
func (p *Proxy) LoseRequest(pattern string, count int) {
	p.change(func(f *faults) { f.loss = &loss{pattern: []byte(pattern), left: count} })
}

// LoseAnswer cuts the next count connections whose client says pattern when the server has done what
// was asked: its answer is lost.
func (p *Proxy) LoseAnswer(pattern string, count int) {
	p.change(func(f *faults) { f.loss = &loss{pattern: []byte(pattern), answered: true, left: count} })
}

// LossesLeft is how many of the connections that were to be lost are not yet.
func (p *Proxy) LossesLeft() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.loss == nil {
		return 0
	}
	return p.faults.loss.left
}

// Heal takes every fault back.
func (p *Proxy) Heal() error {
	p.change(func(f *faults) { *f = faults{} })
	return p.open()
}

func (p *Proxy) change(set func(f *faults)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set(&p.faults)
	close(p.changed)
	p.changed = make(chan struct{})
}

// now returns the faults, and what is closed when they change.
func (p *Proxy) now() (faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}

// claimLoss reports whether a piece that a client says is where its connection is to be lost, and whether
// the server is to have it first.
func (p *Proxy) claimLoss(piece []byte) (lost, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.faults.loss
	if l == nil || l.left == 0 || !bytes.Contains(piece, l.pattern) {
		return false, false
	}
	l.left--
	return true, l.answered
}
