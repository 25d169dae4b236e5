package servers_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/go-redis/redis/v8"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/servers"
)

// TestMariaDBComesBackAfterKill breaks when a killed server loses its data or its port, on which the
// crash tests of the project rest.
func TestMariaDBComesBackAfterKill(t *testing.T) {
	ctx := t.Context()
	server := servers.MariaDB(t)
	require.NoError(t, server.Exec(ctx, "CREATE DATABASE kept"))
	port := server.Port

	require.NoError(t, server.Kill())
	require.Zero(t, server.Pid())
	require.False(t, listens(port))

	require.NoError(t, server.Start())
	require.Equal(t, port, server.Port)
	require.NoError(t, server.Exec(ctx, "USE kept"))
	require.Error(t, server.Start(), "a second start of a running server")
}

// TestMariaDBPause breaks when a paused server still answers: tests of a stuck store would then
// test nothing.
func TestMariaDBPause(t *testing.T) {
	server := servers.MariaDB(t)
	require.NoError(t, server.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, server.Exec(ctx, "SELECT 1"))
	require.NoError(t, server.Resume())
	require.NoError(t, server.Exec(t.Context(), "SELECT 1"))
	require.NoError(t, server.Stop())
	require.NoError(t, server.Stop(), "stopping twice")
}

// TestRedisStartsEmpty breaks when data of an earlier run comes back although nobody saved it.
func TestRedisStartsEmpty(t *testing.T) {
	ctx := t.Context()
	server := servers.Redis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	require.NoError(t, client.Set(ctx, "key", "value", 0).Err())

	require.NoError(t, server.Pause())
	require.NoError(t, server.Stop(), "stopping a paused server")
	require.NoError(t, server.Start())
	require.ErrorIs(t, client.Get(ctx, "key").Err(), redis.Nil)
}

// TestSharedIsOneServer breaks when each test gets a server of its own after all.
func TestSharedIsOneServer(t *testing.T) {
	var shared servers.Shared
	first, second := shared.Redis(t), shared.Redis(t)
	require.Same(t, first, second)
	require.NoError(t, shared.Close())
	require.Zero(t, first.Pid())
	require.NoError(t, shared.Close(), "closing twice")
}

func listens(port int) bool {
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
