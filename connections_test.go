package main

import (
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A node that refuses new clients for the sake of idle ones is down for everybody; one that cuts off a
// client that waits for its answer leaves it not knowing what was done.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	c := newConnections(2, slog.New(slog.DiscardHandler))
	busy, idle, first, second := mustPipe(t), mustPipe(t), mustPipe(t), mustPipe(t)
	c.changed(busy, http.StateNew)
	c.changed(busy, http.StateActive)
	c.changed(idle, http.StateNew)
	c.changed(idle, http.StateActive)
	c.changed(idle, http.StateIdle)
	require.False(t, idle.closed)

	c.changed(first, http.StateNew)
	require.True(t, idle.closed, "the idle one makes room")
	require.False(t, busy.closed || first.closed)
	c.changed(idle, http.StateClosed)

	c.changed(first, http.StateActive)
	c.changed(second, http.StateNew)
	require.True(t, second.closed, "all others wait for answers")
	require.False(t, busy.closed || first.closed)
	c.changed(second, http.StateClosed)

	c.changed(busy, http.StateClosed)
	third := mustPipe(t)
	c.changed(third, http.StateNew)
	require.False(t, third.closed, "a place that is free is taken")
}

// noticing is a connection that knows whether it was closed.
type noticing struct {
	net.Conn
	closed bool
}

func (c *noticing) Close() error { c.closed = true; return c.Conn.Close() }

func mustPipe(t *testing.T) *noticing {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return &noticing{Conn: near}
}

// The files that a process may open are few in some containers: clients must not get those that the
// store and the log need.
func TestConnectionsFitTheFiles(t *testing.T) {
	require.Equal(t, connectionsMax, portConnectionsMax(1<<20, 1))
	require.Equal(t, 256, portConnectionsMax(1024, 1))
	require.Equal(t, (20000-512)/6, portConnectionsMax(20000, 3))
	require.Equal(t, 200/6, portConnectionsMax(600, 3))
	require.Equal(t, 11, portConnectionsMax(64, 1))
	require.Equal(t, connectionsMin, portConnectionsMax(16, 3))
}
