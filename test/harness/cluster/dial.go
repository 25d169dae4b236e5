package cluster

import (
	"context"
	"net"
	"strconv"
)

// DialPublicPort connects to where clients do.
func (n *Node) DialPublicPort(ctx context.Context) (net.Conn, error) {
	host, _, err := net.SplitHostPort(n.Address)
	if err != nil {
		return nil, err
	}
	return n.dial(ctx, net.JoinHostPort(host, strconv.Itoa(n.Port)))
}

// DialPeerPort connects to where other nodes do.
func (n *Node) DialPeerPort(ctx context.Context) (net.Conn, error) { return n.dial(ctx, n.Address) }

func (n *Node) dial(ctx context.Context, address string) (net.Conn, error) {
	if n.Machine != nil {
		return n.Machine.Dial(ctx, "tcp", address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", address)
}
