package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/controller"
)

// sendAndHalfClose sends a request, ends the sending side, and gives the connection.
func sendAndHalfClose(t *testing.T, address, request string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	tcp := conn.(*net.TCPConn)
	require.NoError(t, tcp.CloseWrite())
	require.NoError(t, tcp.SetReadDeadline(time.Now().Add(20*time.Second)))
	return tcp
}

// printf | socat, nc -N and some proxies end their sending side after the request. They wait for the answer
// all the same, and must get it: on both ports, for reads, writes and probes.
func TestClientsThatOnlyStopSendingGetTheirAnswer(t *testing.T) {
	cfg := configured(t, 1)
	s, node := start(t, cfg), cfg.Raft.Nodes[0]
	defer s.mustStop(t)
	mustBeReady(t, cfg.Raft.Nodes)
	public := "127.0.0.1:" + strconv.Itoa(node.Port)
	for i, each := range []struct{ address, line, body, want string }{
		{public, "POST /version HTTP/1.1", sampleRecord, "201 Created"},
		{public, "GET /version/libstdc++6 HTTP/1.1", "", "200 OK"},
		{public, "GET /version/libstdc++6 HTTP/1.0", "", "200 OK"},
		{public, "GET /version HTTP/1.1", "", "200 OK"},
		{public, "GET /readyz HTTP/1.1", "", "200 OK"},
		{public, "GET /backup HTTP/1.1", "", "200 OK"},
		{public, "DELETE /version/libstdc++6 HTTP/1.1", "", "204 No Content"},
		{node.Address, "GET /read-index HTTP/1.1", "", "200 OK"},
		{node.Address, "GET /version HTTP/1.1", "", "200 OK"},
	} {
		conn := sendAndHalfClose(t, each.address, fmt.Sprintf(
			"%s\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", each.line, len(each.body), each.body))
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, "%d: %s", i, each.line)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err, "%d: %s", i, each.line)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, each.want, answer.Status, "%d: %s: %s", i, each.line, body)
	}
}

// serveWaiting serves requests that wait for the end of their client for a while, and says which came.
func serveWaiting(t *testing.T, patience time.Duration) (address string, gone chan bool) {
	t.Helper()
	gone = make(chan bool, 1)
	return serveOn(t, 10, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			gone <- true
		case <-timer.C:
			gone <- false
		}
	}), gone
}

// serveOn serves on a port that takes so many connections.
func serveOn(t *testing.T, most int, handler http.HandlerFunc) (address string) {
	t.Helper()
	room := newConnections(most, slog.New(slog.DiscardHandler))
	server := newServer(handler, room, slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(clientListener{room.on(listener), bytes.Clone, room.stopsSending})
	}()
	t.Cleanup(func() { require.NoError(t, server.Close()); <-served })
	return listener.Addr().String()
}

// A client that is waited for is one whose end cannot be told from a half-closed connection; a reset can be,
// also when it comes after the end of the stream, and a body that ends too early is an error at once.
func TestClientsThatAreGoneAreNotWaitedFor(t *testing.T) {
	address, gone := serveWaiting(t, 200*time.Millisecond)
	sendAndHalfClose(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.False(t, <-gone, "it waits for its answer")

	address, gone = serveWaiting(t, time.Minute)
	conn := sendAndHalfClose(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, conn.SetLinger(0))
	require.NoError(t, conn.Close())
	require.True(t, <-gone, "its connection was reset")

	sendAndHalfClose(t, address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
	require.True(t, <-gone, "the rest of the body will not come")
}

// Clients that gave up look like ones that stopped sending and wait. If this fails, a few hundred of them keep
// everybody out, the probes too, until their timeouts are over.
func TestClientsThatGaveUpKeepNobodyOut(t *testing.T) {
	const most = 4
	waiting := make(chan struct{})
	address := serveOn(t, most, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			waiting <- struct{}{}
			<-r.Context().Done()
		}
	})
	for range most {
		conn := sendAndHalfClose(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
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

// A program goes by the code of an answer, whatever was wrong with its request: also where the server answers
// before any handler is asked.
func TestWhatNoHandlerSeesIsAnsweredAsAProblemToo(t *testing.T) {
	cfg := configured(t, 1)
	s, node := start(t, cfg), cfg.Raft.Nodes[0]
	defer s.mustStop(t)
	mustBeReady(t, cfg.Raft.Nodes)
	for request, want := range map[string]struct {
		status       int
		code, detail string
	}{
		"GET /version/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n":                                            {400, "invalid_request", "%25"},
		"GET /version HTTP/1.1\r\nHost: local host\r\n\r\n":                                               {400, "invalid_request", "malformed Host header"},
		"GET /version HTTP/1.1\r\n\r\n":                                                                   {400, "invalid_request", "missing required Host header"},
		"GET /version HTTP/1.1\r\nHost: localhost\r\nX-Huge: " + strings.Repeat("x", 40<<10) + "\r\n\r\n": {431, "header_too_large", "32 KiB"},
		"POST /version HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n":                    {501, "not_supported", "chunked"},
		"GET /version HTTP/3.7\r\nHost: localhost\r\n\r\n":                                                {505, "not_supported", "HTTP/1.1"},
	} {
		for _, address := range []string{node.Address, "127.0.0.1:" + strconv.Itoa(node.Port)} {
			answer, err := http.ReadResponse(bufio.NewReader(sendAndHalfClose(t, address, request)), nil)
			require.NoError(t, err, "%.40s", request)
			var problem controller.Problem
			require.NoError(t, json.NewDecoder(answer.Body).Decode(&problem), "%.40s", request)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
			require.Equal(t, "node1", answer.Header.Get("X-Versiond-Node"))
			require.Equal(t, want.status, answer.StatusCode, "%.40s", request)
			require.Equal(t, want.status, problem.Status)
			require.Equal(t, want.code, problem.Code)
			require.Contains(t, problem.Detail, want.detail)
			require.Equal(t, answer.Header.Get("X-Request-Id"), problem.RequestID)
		}
	}
}
