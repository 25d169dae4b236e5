package network

import (
	"net/netip"
	"slices"
	"time"
)

const (
	packetBytesMax = 2048
	// queueMax is how many packets wait for one host; more are dropped, as by a real switch.
	queueMax = 4096

	ipv4HeaderBytes = 20
)

// packet is on its way to one host.
type packet struct {
	data []byte
	due  time.Time
}

// listen takes what a host sends, until its cable is cut.
func (n *Network) listen(from *Host) {
	buffer := make([]byte, packetBytesMax)
	for {
		size, err := from.cable.Read(buffer)
		if err != nil {
			return
		}
		if to := n.find(destination(buffer[:size])); to != nil {
			n.send(from, to, slices.Clone(buffer[:size]))
		}
	}
}

func (n *Network) send(from, to *Host, data []byte) {
	link := n.link(from, to)
	if link.lost() {
		n.dropped.Add(1)
		return
	}
	select {
	case to.incoming[from.place] <- packet{data, time.Now().Add(link.Delay)}:
	default:
		n.dropped.Add(1)
	}
}

// deliver hands a host what another one sent, in its order and in its time.
func (h *Host) deliver(packets <-chan packet) {
	for {
		select {
		case p := <-packets:
			if !h.await(p.due) {
				return
			}
			_, _ = h.cable.Write(p.data) // a packet that a host does not take is lost, as packets are
		case <-h.closed:
			return
		}
	}
}

// await is false when the host is gone first.
func (h *Host) await(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.closed:
		return false
	}
}

func (n *Network) find(address netip.Addr) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		if h.Addr == address {
			return h
		}
	}
	return nil
}

// destination returns where an IPv4 packet is to go, the zero address for anything else.
func destination(data []byte) netip.Addr {
	if len(data) < ipv4HeaderBytes || data[0]>>4 != 4 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(data[16:20]))
}
