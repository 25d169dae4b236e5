package network

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrImpossible is returned when this machine does not let us make namespaces and cables.
var ErrImpossible = errors.New("no network namespaces for this test: it takes Linux, root and /dev/net/tun")

// Link is how packets fare in one direction between two hosts. Its zero value is a good cable.
type Link struct {
	// Down drops every packet.
	Down bool
	// Loss is the share of packets that are dropped, 0 to 1.
	Loss float64
	// Delay is how much later each packet arrives.
	Delay time.Duration
}

// Network is a number of hosts around one switch. Its methods may be called from any goroutine.
type Network struct {
	mu    sync.Mutex
	hosts []*Host
	links sync.Map // direction -> Link
	wg    sync.WaitGroup
	home  namespace

	dropped atomic.Int64
}

// direction names the hosts of a Link by their place.
type direction struct{ from, to int }

// New makes a network without hosts. Close ends it.
func New() (*Network, error) {
	home, err := currentNamespace()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImpossible, err)
	}
	return &Network{home: home}, nil
}

// Set makes packets from one host to another fare as the link says from now on.
func (n *Network) Set(from, to *Host, link Link) {
	n.links.Store(direction{from.place, to.place}, link)
}

// SetBoth is Set in both directions.
func (n *Network) SetBoth(a, b *Host, link Link) {
	n.Set(a, b, link)
	n.Set(b, a, link)
}

// Isolate makes packets between a host and all others fare as the link says, in both directions.
func (n *Network) Isolate(h *Host, link Link) {
	for _, other := range n.others(h) {
		n.SetBoth(h, other, link)
	}
}

// SetAll makes packets between all hosts fare as the link says.
func (n *Network) SetAll(link Link) {
	for _, h := range n.others(nil) {
		n.Isolate(h, link)
	}
}

// Heal makes every link good again.
func (n *Network) Heal() { n.links.Clear() }

// Dropped counts the packets that were dropped on purpose.
func (n *Network) Dropped() int64 { return n.dropped.Load() }

// Close ends the cables and lets go of the namespaces. Programs that run in them stay alive, without a network.
func (n *Network) Close() error {
	var errs []error
	for _, h := range n.others(nil) {
		errs = append(errs, h.close())
	}
	n.wg.Wait()
	return errors.Join(append(errs, n.home.Close())...)
}

func (n *Network) others(h *Host) []*Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	var others []*Host
	for _, each := range n.hosts {
		if each != h {
			others = append(others, each)
		}
	}
	return others
}

func (n *Network) link(from, to *Host) Link {
	link, _ := n.links.Load(direction{from.place, to.place})
	l, _ := link.(Link) // absent is good
	return l
}

// lost decides about one packet.
func (l Link) lost() bool { return l.Down || l.Loss > 0 && rand.Float64() < l.Loss }
