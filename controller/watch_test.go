package controller_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/changes"
)

// mustServe serves a node on a port, with write timeouts that no stream outlives.
func (n *node) mustServe(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(n.public)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(n.service.hub.Close)
	return server
}

// following is a stream that somebody reads.
type following struct {
	*http.Response
	lines *bufio.Scanner
}

func mustFollow(t *testing.T, server *httptest.Server, query string, header ...string) *following {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/version/watch?"+query, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := server.Client().Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	return &following{answer, bufio.NewScanner(answer.Body)}
}

// next reads a line.
func (f *following) next(t *testing.T) string {
	t.Helper()
	require.True(t, f.lines.Scan(), "the stream ended: %v", f.lines.Err())
	return f.lines.Text()
}

// A stream begins at once, tells of each change, and outlives the time that other requests have; a node that stops ends
// it with the place to go on from.
func TestStream(t *testing.T) {
	n := mustNode(t)
	server := n.mustServe(t)
	stream := mustFollow(t, server, "since=0&prefix=known")
	require.Equal(t, http.StatusOK, stream.StatusCode)
	require.Equal(t, "application/x-ndjson", stream.Header.Get("Content-Type"))
	require.Equal(t, "no-store", stream.Header.Get("Cache-Control"))
	require.Equal(t, "no", stream.Header.Get("X-Accel-Buffering"))
	require.Equal(t, "node1", stream.Header.Get("X-Versiond-Node"))
	require.Equal(t, "7", stream.Header.Get("X-Versiond-Index"))
	require.JSONEq(t, `{"type":"put","revision":28672,"record":{"id":"known","versionNo":"1.0.0","platform":"linux","revision":28672}}`, stream.next(t))
	require.JSONEq(t, `{"type":"bookmark","revision":28672}`, stream.next(t))

	<-time.After(2 * server.Config.WriteTimeout)
	n.send(t, http.MethodPut, "/version/known", `{"versionNo":"1.1.0","platform":"linux"}`)
	n.send(t, http.MethodPost, "/version", `{"id":"other","versionNo":"1.1.0","platform":"linux"}`)
	n.send(t, http.MethodDelete, "/version/known", "")
	require.JSONEq(t, `{"type":"put","revision":32768,"record":{"id":"known","versionNo":"1.1.0","platform":"linux","revision":32768}}`, stream.next(t))
	require.JSONEq(t, `{"type":"delete","revision":40960,"id":"known"}`, stream.next(t))
	n.service.hub.Close()
	require.JSONEq(t, `{"type":"bookmark","revision":40960}`, stream.next(t))
	require.False(t, stream.lines.Scan())
	require.NoError(t, stream.lines.Err(), "it is a whole answer")
}

// Browsers read server-sent events, and come back with the id of the last one and the address of the first time.
func TestServerSentEvents(t *testing.T) {
	n := mustNode(t)
	server := n.mustServe(t)
	stream := mustFollow(t, server, "since=0", "Accept", "text/html, text/event-stream")
	require.Equal(t, "text/event-stream", stream.Header.Get("Content-Type"))
	require.Equal(t, `data: {"type":"put","revision":28672,"record":{"id":"known","versionNo":"1.0.0","platform":"linux","revision":28672}}`, stream.next(t), "it is no place to go on from")
	require.Empty(t, stream.next(t))
	require.Equal(t, "id: 28672", stream.next(t))
	require.Equal(t, `data: {"type":"bookmark","revision":28672}`, stream.next(t))
	require.NoError(t, stream.Body.Close())

	n.send(t, http.MethodDelete, "/version/known", "")
	stream = mustFollow(t, server, "since=0", "Accept", "text/event-stream", "Last-Event-ID", "28672")
	require.Equal(t, "id: 32768", stream.next(t))
	require.Equal(t, `data: {"type":"delete","revision":32768,"id":"known"}`, stream.next(t))
}

// A poll is an answer like any other.
func TestPollEnds(t *testing.T) {
	n := mustNode(t)
	n.send(t, http.MethodDelete, "/version/known", "")
	answer := n.get(t, "/version/watch?since=28672&wait=30s")
	require.Equal(t, "{\"type\":\"delete\",\"revision\":32768,\"id\":\"known\"}\n{\"type\":\"bookmark\",\"revision\":32768}\n", answer.Body.String())
	require.Equal(t, 30*time.Second, n.service.watched.Wait)
	require.Equal(t, "{\"type\":\"bookmark\",\"revision\":32768}\n", n.get(t, "/version/watch?since=now&wait=1ms").Body.String())
}

// Whoever cannot go on is told from where it can.
func TestRevisionThatIsGone(t *testing.T) {
	problem := requireProblem(t, mustNode(t).get(t, "/version/watch?since=1"), http.StatusGone, "revision_gone")
	require.Equal(t, changesFloor, problem.OldestRevision)
	require.Contains(t, problem.Detail, "since=28672")
}

// An error that ends a stream is told in the words of every other answer: what is written for users, and never a driver's text,
// which has addresses and names of the inside. What nobody foresaw is in the log.
func TestErrorThatEndsAStream(t *testing.T) {
	inside := errors.New("dial tcp 10.1.2.3:3306: connect: connection refused")
	for _, c := range []struct {
		err          error
		code, detail string
	}{
		{fmt.Errorf("%w: %w", model.ErrStoreUnavailable, inside), "store_unavailable", model.ErrStoreUnavailable.Error()},
		{&model.StoreError{Detail: "the disk is full", Cause: inside}, "store_unavailable", "the disk is full"},
		{model.Explain(model.ErrNotCaughtUp, "this node is built anew"), "not_caught_up", "this node is built anew"},
		{fmt.Errorf("%w: %w", context.DeadlineExceeded, inside), "timeout", "the answer was not there in time"},
		{inside, "internal", model.ErrInternal.Error()},
	} {
		n := mustNode(t)
		n.service.unread = c.err
		answer := n.get(t, "/version/watch?since=0&wait=1s")
		require.JSONEq(t, fmt.Sprintf(`{"type":"error","code":%q,"detail":%q}`, c.code, c.detail), answer.Body.String())
		require.Equal(t, c.code == "internal", strings.Contains(n.log.String(), inside.Error()), n.log)
	}
}

// Watchers are bounded, and those that are gone make room.
func TestTooManyWatchers(t *testing.T) {
	n := mustNode(t)
	server := n.mustServe(t)
	first := mustFollow(t, server, "")
	mustFollow(t, server, "")
	requireProblem(t, n.get(t, "/version/watch"), http.StatusTooManyRequests, "too_many_requests")
	require.NoError(t, first.Body.Close())
	require.Eventually(t, func() bool { return n.get(t, "/version/watch?wait=1ms").Code == http.StatusOK }, 10*time.Second, 10*time.Millisecond)
}

// What a client asks for is what the service is asked for.
func TestWatchParameters(t *testing.T) {
	for query, want := range map[string]changes.Request{
		"":                                   {Now: true},
		"since=now":                          {Now: true},
		"since=0":                            {List: true},
		"since=32768&platform=a&prefix=b%2F": {Since: 32768, Filter: changes.Filter{Platform: "a", Prefix: "b/"}},
		"since=32768&id=b,a,b":               {Since: 32768, Filter: changes.Filter{IDs: []string{"a", "b"}}},
	} {
		n := mustNode(t)
		require.Equal(t, http.StatusOK, n.do(t, request{method: http.MethodHead, path: "/version/watch?level=none&min_index=3&" + query}).Code)
		require.Equal(t, want, n.service.watched, query)
		require.Equal(t, model.ReadOptions{Level: model.LevelNone, MinIndex: 3}, n.service.opts)
		require.Zero(t, n.service.hub.Counts().Watchers, "HEAD follows nothing")
	}
}

// A client that does not read what it is sent is cut off, and its watcher goes with it.
func TestStreamThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustNode(t)
		listener := make(pipes)
		server := &http.Server{Handler: n.engines[0], WriteTimeout: time.Second}
		go func() { _ = server.Serve(listener) }()
		client, conn := net.Pipe()
		listener <- conn
		_, err := io.WriteString(client, "GET /version/watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
		begin := bufio.NewReader(client)
		for line := ""; !strings.Contains(line, "bookmark"); {
			line, err = begin.ReadString('\n')
			require.NoError(t, err)
		}
		<-time.After(time.Minute) // bookmarks come, and nobody takes them
		require.Zero(t, n.service.hub.Counts().Watchers)
		close(listener)
		require.NoError(t, server.Close())
	})
}

// pipes is a listener whose connections are pipes: their deadlines go by the test's own clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
