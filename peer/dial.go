package peer

import (
	"context"
	"net"
	"time"
)

const keepAliveInterval = 15 * time.Second

// dial opens a connection that is reset when it is closed. A kernel otherwise goes on sending what a lost
// packet has held up, for minutes, and a write would be done long after its client was told that nobody
// knows its outcome. Requests that are through have nothing left to send.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: keepAliveInterval}
	conn, err := dialer.DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		err = tcp.SetLinger(0)
	}
	return conn, err
}
