package raft

import (
	"sync"
	"time"
)

// pace knows how long the store takes for a transaction of the applier, tries that failed included.
type pace struct {
	mu         sync.Mutex
	last, prev time.Duration // of the newest transactions that are through
	began      time.Time     // of the one that goes on; zero when none does
	ended      time.Time     // of the last one
}

// begin notes that a transaction begins; what it returns is called when it is through.
func (p *pace) begin() (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Now()
	return p.end
}

func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
	p.last, p.prev = p.ended.Sub(p.began), p.last
	p.began = time.Time{}
}

// now returns the shorter time of the two newest transactions: one slow transaction says nothing. The one that goes on takes
// the place of the older one as soon as that makes the result larger. It is 0 until there were two. at is when the store was
// last seen at work.
func (p *pace) now() (took time.Duration, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began.IsZero() {
		return min(p.last, p.prev), p.ended
	}
	at = time.Now()
	return max(min(p.last, p.prev), min(p.last, at.Sub(p.began))), at
}
