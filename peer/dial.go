package peer

import (
	"context"
	"errors"
	"net"
	"time"

	"versiond/certs"
)

const (
	keepAliveInterval = 15 * time.Second
	// handshakeTimeout is long beside dialTimeout: hands are shaken by the program and not by the kernel.
	handshakeTimeout = 2 * time.Second
)

// dial opens a connection that is reset when it is closed. A kernel otherwise goes on sending what a lost
// packet has held up, for minutes, and a write would be done long after its client was told that nobody
// knows its outcome. A request that was answered loses nothing by it.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: keepAliveInterval}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// secure returns what opens connections by TLS, to nodes whose certificates are for the host that is dialed.
func secure(keeper *certs.Keeper) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return certs.Connect(conn, keeper.Client(address), handshakeTimeout)
	}
}
