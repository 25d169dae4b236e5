package server

import (
	"bytes"
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

// Who stopped sending may still wait for an answer, and gets it where an idle connection can go instead. It goes
// before those who have just come, though: else a port that is full of clients that gave up lets none in that come
// at once.
func TestWhoStoppedSendingMakesRoomAfterIdleOnes(t *testing.T) {
	var log bytes.Buffer
	c := newConnections(8, slog.New(slog.NewTextHandler(&log, nil)))
	come := func() *noticing {
		conn := mustPipe(t)
		c.changed(conn, http.StateNew)
		return conn
	}
	var old [8]*noticing
	for i := range old {
		old[i] = come()
		c.changed(old[i], http.StateActive)
	}
	c.stopsSending(old[1])
	c.stopsSending(old[0])
	c.changed(old[2], http.StateIdle)

	first := come()
	require.True(t, old[2].closed, "an idle one goes first")
	require.False(t, old[1].closed)
	require.Contains(t, log.String(), "the one that was idle longest is closed")
	second := come()
	require.True(t, old[1].closed, "then who stopped sending first")
	require.False(t, old[0].closed || first.closed)
	require.Contains(t, log.String(), "stopped sending first")

	c.stopsSending(old[3])
	c.changed(old[0], http.StateIdle)
	c.changed(old[0], http.StateActive)
	third := come()
	require.True(t, first.closed, "only the newest are about to ask, others that ask nothing are idle")
	c.changed(second, http.StateActive)
	c.changed(third, http.StateActive)
	c.changed(come(), http.StateActive)
	require.True(t, old[3].closed)
	require.True(t, come().closed)
	require.False(t, old[0].closed, "it waits for another answer")
	require.Contains(t, log.String(), "has not sent a request yet")
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
