package crowd

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// Crowd is a number of connections to nodes. Its methods belong to the test's goroutine.
type Crowd struct {
	t     testing.TB
	conns []net.Conn
	wg    sync.WaitGroup
}

// New makes a crowd of nobody.
func New(t testing.TB) *Crowd { return &Crowd{t: t} }

// Close ends all connections.
func (c *Crowd) Close() {
	for _, conn := range c.conns {
		_ = conn.Close() // the node may have closed it before
	}
	c.wg.Wait()
}

func (c *Crowd) dial(n *cluster.Node, peer bool) net.Conn {
	c.t.Helper()
	conn, err := dial(c.t.Context(), n, peer)
	require.NoError(c.t, err)
	c.conns = append(c.conns, conn)
	return conn
}

func dial(ctx context.Context, n *cluster.Node, peer bool) (net.Conn, error) {
	if peer {
		return n.DialPeerPort(ctx)
	}
	return n.DialPublicPort(ctx)
}

// Idle opens connections that ask once and then keep silent.
func (c *Crowd) Idle(n *cluster.Node, count int) {
	c.t.Helper()
	for range count {
		conn := c.dial(n, false)
		_, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(c.t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(c.t, err)
		require.NoError(c.t, answer.Body.Close())
	}
}

// Slow opens connections of every kind that holds up a careless server, this many of each.
func (c *Crowd) Slow(n *cluster.Node, count int) {
	c.t.Helper()
	for range count {
		c.dribble(n, false, "GET /version/slow-0001 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		c.dribble(n, false, "POST /version HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
		c.ignore(n, "GET /version?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n", 50)
		c.ignore(n, "GET /backup HTTP/1.1\r\nHost: localhost\r\n\r\n", 1)
		c.dribble(n, true, "POST /command HTTP/1.1\r\n")
		c.dribble(n, true, "\x01\x00")
	}
}

// dribble sends what begins a request, and then a byte a second until it is cut off.
func (c *Crowd) dribble(n *cluster.Node, peer bool, beginning string) {
	c.t.Helper()
	conn := c.dial(n, peer)
	c.wg.Go(func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		_, err := io.WriteString(conn, beginning)
		for err == nil {
			<-second.C
			_, err = conn.Write([]byte(" "))
		}
	})
}

// ignore sends requests and reads no answer.
func (c *Crowd) ignore(n *cluster.Node, request string, count int) {
	c.t.Helper()
	conn := c.dial(n, false)
	require.NoError(c.t, conn.(*net.TCPConn).SetReadBuffer(4096))
	c.wg.Go(func() {
		for range count {
			if _, err := io.WriteString(conn, request); err != nil {
				return
			}
		}
	})
}
