package network_test

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/network"
)

const port = ":7001"

// pair is two hosts; on the first one an echo server listens.
func pair(t *testing.T) (n *network.Network, server, client *network.Host) {
	t.Helper()
	n = network.Must(t)
	server, client = mustHost(t, n), mustHost(t, n)
	listener, err := server.Listen("tcp", server.Addr.String()+port)
	require.NoError(t, err)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	return n, server, client
}

func mustHost(t *testing.T, n *network.Network) *network.Host {
	t.Helper()
	h, err := n.NewHost()
	require.NoError(t, err)
	return h
}

func dial(t *testing.T, from, to *network.Host, timeout time.Duration) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", to.Addr.String()+port)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// echo sends a word and returns how long it took to come back.
func echo(t *testing.T, conn net.Conn, timeout time.Duration) (time.Duration, error) {
	t.Helper()
	began := time.Now()
	require.NoError(t, conn.SetDeadline(began.Add(timeout)))
	if _, err := conn.Write([]byte("word")); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(conn, make([]byte, 4))
	return time.Since(began), err
}

// Without this no fault of the network would reach the nodes, and the chaos tests would prove nothing.
func TestLinksAreCutDelayedAndHealed(t *testing.T) {
	n, server, client := pair(t)
	conn, err := dial(t, client, server, 10*time.Second)
	require.NoError(t, err)
	_, err = echo(t, conn, 10*time.Second)
	require.NoError(t, err)

	n.SetBoth(server, client, network.Link{Delay: 200 * time.Millisecond})
	took, err := echo(t, conn, 10*time.Second)
	require.NoError(t, err)
	require.Greater(t, took, 390*time.Millisecond, "there and back")

	n.Heal()
	n.Set(server, client, network.Link{Down: true}) // what the client sends still arrives
	_, err = echo(t, conn, 300*time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = dial(t, client, server, 300*time.Millisecond)
	require.Error(t, err)
	require.Positive(t, n.Dropped())

	n.Heal()
	_, err = io.ReadFull(conn, make([]byte, 4)) // nothing: the deadline is over
	require.Error(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, err = io.ReadFull(conn, make([]byte, 4))
	require.NoError(t, err, "TCP sends again what was dropped")
}

// A loss that loses all, or nothing, would be another fault than the one that is named.
func TestLossLosesSome(t *testing.T) {
	n, server, client := pair(t)
	n.SetAll(network.Link{Loss: 0.2})
	conn, err := dial(t, client, server, 60*time.Second)
	require.NoError(t, err)
	for range 20 {
		_, err := echo(t, conn, 60*time.Second)
		require.NoError(t, err)
	}
	require.Positive(t, n.Dropped())
}

// Two networks at once, with the same addresses, and the machine's own must not see each other.
func TestHostsAreApart(t *testing.T) {
	_, server, _ := pair(t)
	other := mustHost(t, network.Must(t))
	require.Equal(t, server.Addr, other.Addr)
	_, err := dial(t, other, server, time.Second)
	require.Error(t, err, "from another network")
	conn, err := net.DialTimeout("tcp", server.Addr.String()+port, 300*time.Millisecond)
	if err == nil { // a machine may have a gateway that takes any connection
		_, err = echo(t, conn, 300*time.Millisecond)
	}
	require.Error(t, err, "from the machine")
}

// A node that is cut off keeps its database.
func TestForwardPassesTheSwitchBy(t *testing.T) {
	n, _, client := pair(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = io.Copy(conn, conn)
		}
	}()
	n.SetAll(network.Link{Down: true})
	require.NoError(t, client.Forward(listener.Addr().String()))
	conn, err := client.Dial(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	_, err = echo(t, conn, 10*time.Second)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, listener.Close())
}

// A program that is started on a host must be there, and not where the test is.
func TestProgramsRunOnTheHost(t *testing.T) {
	_, server, _ := pair(t)
	out := make(chan string)
	go func() {
		runtime.LockOSThread()
		err := server.Enter()
		text, _ := exec.Command("cat", "/proc/net/fib_trie").CombinedOutput()
		if err != nil {
			text = []byte(err.Error())
		}
		out <- string(text)
	}()
	text := <-out
	require.Contains(t, text, server.Addr.String())
	require.False(t, strings.Contains(text, "169.254."), "an address of the machine")
}
