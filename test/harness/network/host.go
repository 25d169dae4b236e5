package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
)

// hostsMax is how many hosts a network may have.
const hostsMax = 250

// Host is one place in a network: a namespace with an address and a cable to the switch.
type Host struct {
	// Addr is the host's address, which only hosts of the same network reach.
	Addr netip.Addr

	network   *Network
	place     int
	namespace namespace
	cable     *os.File
	incoming  []chan packet // by the place of the sender
	closed    chan struct{}

	mu        sync.Mutex
	listeners []net.Listener
}

// NewHost adds a host.
func (n *Network) NewHost() (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	place := len(n.hosts)
	if place == hostsMax {
		return nil, fmt.Errorf("a network has no more than %d hosts", hostsMax)
	}
	h := &Host{Addr: netip.AddrFrom4([4]byte{10, 77, 0, byte(place + 1)}), network: n, place: place,
		incoming: make([]chan packet, hostsMax), closed: make(chan struct{})}
	if err := h.plugIn(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImpossible, err)
	}
	for _, other := range n.hosts {
		n.connect(other, h)
		n.connect(h, other)
	}
	n.hosts = append(n.hosts, h)
	n.wg.Go(func() { n.listen(h) })
	return h, nil
}

// connect makes the way for packets in one direction.
func (n *Network) connect(from, to *Host) {
	packets := make(chan packet, queueMax)
	to.incoming[from.place] = packets
	n.wg.Go(func() { to.deliver(packets) })
}

// Dial connects to an address as a program on the host would.
func (h *Host) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = h.within(func() error {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens as a program on the host would, until the network is closed.
func (h *Host) Listen(network, address string) (listener net.Listener, err error) {
	err = h.within(func() error {
		listener, err = net.Listen(network, address)
		return err
	})
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners = append(h.listeners, listener)
	return listener, nil
}

// Forward makes a TCP address of the machine's loopback reachable on the host, under the same address. The
// way leads past the switch.
func (h *Host) Forward(address string) error {
	listener, err := h.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("forward %s to the host %s: %w", address, h.Addr, err)
	}
	h.network.wg.Go(func() { h.relay(listener, address) })
	return nil
}

func (h *Host) relay(listener net.Listener, address string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go pass(client, address, h.closed)
	}
}

// pass carries one connection. A server that cannot be reached, and one that is gone, ends it by a reset,
// as it would without us.
func pass(client net.Conn, address string, closed <-chan struct{}) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		_ = client.(*net.TCPConn).SetLinger(0) // at worst it ends without a reset
		return
	}
	defer server.Close()
	over := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // its end is all there is to know
			over <- struct{}{}
		}()
	}
	select {
	case <-over:
	case <-closed:
	}
}

// close ends the cable and everything that was forwarded.
func (h *Host) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.closed)
	errs := []error{h.cable.Close(), h.namespace.Close()}
	for _, listener := range h.listeners {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
