package server

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/authority"
)

// pipeStream is a pipe where a TCP connection is asked for.
type pipeStream struct{ net.Conn }

func (pipeStream) SyscallConn() (syscall.RawConn, error) { return nil, syscall.ENOTSUP }
func (p pipeStream) CloseWrite() error                   { return p.Close() }

func serveTLS(t *testing.T, listener net.Listener, most int, log io.Writer) (*Server, *authority.Authority) {
	t.Helper()
	ca := authority.New(t, "ours")
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{authority.Load(t, ca.Node(t, "node1"))}}
	server := New(Port{
		Listener: listener, TLS: cfg, ConnectionsMax: most, AsProblem: bytes.Clone,
		NeedsTLS: func() []byte { return []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nTLS, please\n") },
	}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && r.TLS.HandshakeComplete {
			_, _ = io.WriteString(w, "by TLS\n")
		}
	}), slog.New(slog.NewTextHandler(log, nil)))
	return server, ca
}

// A client that begins to shake hands and goes on a byte a second, or not at all, holds a connection for as long as it
// likes, unless it is cut off.
func TestHandshakesThatNeverEndAreCutOff(t *testing.T) {
	for name, beginning := range map[string]string{"nothing": "", "half a hello": "\x16\x03\x01\x02\x00\x01", "half a record": "\x16"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := make(pipes)
				server, _ := serveTLS(t, listener, 1, io.Discard)
				go func() { _ = server.Serve() }()
				near, far := net.Pipe()
				listener <- pipeStream{far}
				began := time.Now()
				go func() { _, _ = io.WriteString(near, beginning) }()
				_, err := io.Copy(io.Discard, near)
				require.NoError(t, err)
				require.InDelta(t, readHeaderTimeout.Seconds(), time.Since(began).Seconds(), 1)
				close(listener)
				require.NoError(t, server.http.Close())
			})
		})
	}
}

// Handshakes that never end, and clients that speak no TLS, must keep nobody out who does, nor be waited for.
func TestHandshakesThatNeverEndCostNobodyAnything(t *testing.T) {
	const silent, most = 2000, 400
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, ca := serveTLS(t, listener, most, io.Discard)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve() }()
	t.Cleanup(func() { require.NoError(t, server.http.Close()); <-served })
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}, Timeout: readHeaderTimeout / 2} // before they are cut off
	ask := func() {
		t.Helper()
		answer, err := client.Get("https://" + listener.Addr().String())
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, "by TLS\n", string(body))
		client.CloseIdleConnections()
	}
	for i := range silent {
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		if i%2 == 0 {
			_, err = conn.Write([]byte("\x16\x03\x01\x02\x00\x01"))
			require.NoError(t, err)
		}
		if i%400 == 0 {
			ask()
		}
	}
	ask()
}

// A client that stops sending, and one that is gone, are told apart by TLS as they are without it.
func TestHalfClosedClientsByTLSGetTheirAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, ca := serveTLS(t, listener, 10, io.Discard)
	gone := make(chan bool, 1)
	server.http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(100 * time.Millisecond)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			gone <- true
		case <-timer.C:
			gone <- false
		}
	})
	go func() { _ = server.Serve() }()
	t.Cleanup(func() { require.NoError(t, server.http.Close()) })
	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: ca.Pool()})
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())
	require.False(t, <-gone)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), "200 OK")
	require.NoError(t, conn.Close())

	conn, err = tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: ca.Pool()})
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.NetConn().(*net.TCPConn).SetLinger(0))
	require.NoError(t, conn.NetConn().Close())
	require.True(t, <-gone)
}
