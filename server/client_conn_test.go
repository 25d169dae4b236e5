package server

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/test/load/crowd"
)

// serveWaiting serves requests that wait for the end of their client for a while, and says which came.
func serveWaiting(t *testing.T, patience time.Duration) (address string, gone chan bool) {
	t.Helper()
	gone = make(chan bool, 1)
	_, address = serveOn(t, 10, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			gone <- true
		case <-timer.C:
			gone <- false
		}
	})
	return address, gone
}

// serveOn serves on a port that takes so many connections.
func serveOn(t *testing.T, most int, handler http.HandlerFunc) (server *Server, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server = New(Port{Listener: listener, ConnectionsMax: most, AsProblem: bytes.Clone}, handler, slog.New(slog.DiscardHandler))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve()
	}()
	t.Cleanup(func() { require.NoError(t, server.http.Close()); <-served })
	return server, listener.Addr().String()
}

// A client that is waited for is one whose end cannot be told from a half-closed connection; a reset can be,
// also when it comes after the end of the stream, and a body that ends too early is an error at once.
func TestClientsThatAreGoneAreNotWaitedFor(t *testing.T) {
	address, gone := serveWaiting(t, 200*time.Millisecond)
	crowd.SendAndHalfClose(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.False(t, <-gone, "it waits for its answer")

	address, gone = serveWaiting(t, time.Minute)
	conn := crowd.SendAndHalfClose(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, conn.SetLinger(0))
	require.NoError(t, conn.Close())
	require.True(t, <-gone, "its connection was reset")

	crowd.SendAndHalfClose(t, address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
	require.True(t, <-gone, "the rest of the body will not come")
}

// Clients that gave up look like ones that stopped sending and wait. If this fails, a few hundred of them keep
// everybody out, the probes too, until their timeouts are over.
func TestClientsThatGaveUpKeepNobodyOut(t *testing.T) {
	const most = 4
	waiting := make(chan struct{})
	_, address := serveOn(t, most, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			waiting <- struct{}{}
			<-r.Context().Done()
		}
	})
	for range most {
		conn := crowd.SendAndHalfClose(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-waiting
		require.NoError(t, conn.Close())
	}
	probe := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	require.EventuallyWithT(t, func(t *assert.CollectT) { // their ends are seen a little later
		answer, err := probe.Get("http://" + address + "/livez")
		if assert.NoError(t, err) {
			assert.NoError(t, answer.Body.Close())
		}
	}, 5*time.Second, 10*time.Millisecond)
}
