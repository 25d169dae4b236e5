package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/servers"
)

// follow watches what is written through a port, and returns the lines that come.
func follow(t *testing.T, host string, port int, query string) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+strconv.Itoa(port)+"/version/watch?"+query, nil)
	require.NoError(t, err)
	r.Host, r.Close = host, true
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return bufio.NewScanner(answer.Body)
}

func mustLine(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	require.True(t, lines.Scan(), "the stream ended: %v", lines.Err())
	return lines.Text()
}

// requireEventsPassed writes through a proxy, and is told of it at once by a stream through the same.
func requireEventsPassed(t *testing.T, port int) {
	t.Helper()
	lines := follow(t, registry, port, "prefix=passed")
	require.Contains(t, mustLine(t, lines), "bookmark")
	for i := range 3 {
		status, _, code, _ := browse(t, port, http.MethodPost, "/version", fmt.Sprintf(`{"id":"passed%d","versionNo":"1","platform":"linux"}`, i))
		require.Equal(t, http.StatusCreated, status, code)
		require.Contains(t, mustLine(t, lines), fmt.Sprint("passed", i))
		status, _, code, _ = browse(t, port, http.MethodDelete, fmt.Sprint("/version/passed", i), "")
		require.Equal(t, http.StatusNoContent, status, code)
		require.Contains(t, mustLine(t, lines), "delete")
	}
}

// Behind the proxies of docs/proxies.md, and behind an nginx that buffers, events come as they happen. If this fails,
// watchers see a page of them every few minutes.
func TestEventsPassProxies(t *testing.T) {
	nodes := startBehind(t, "")
	t.Run("nginx", func(t *testing.T) {
		example, port := documented(t, "nginx", nodes)
		servers.Nginx(t, example, port)
		requireEventsPassed(t, port)
	})
	t.Run("nginx that buffers", func(t *testing.T) {
		example, port := documented(t, "nginx", nodes)
		buffering := strings.Replace(example, "proxy_buffering off;", "", 1)
		require.NotEqual(t, example, buffering)
		servers.Nginx(t, buffering, port)
		requireEventsPassed(t, port)
	})
	t.Run("haproxy", func(t *testing.T) {
		example, port := documented(t, "haproxy", nodes)
		servers.HAProxy(t, example, port)
		requireEventsPassed(t, port)
	})
}

// Nodes that stop end their streams with the place to go on from, as a whole answer, and do not wait for anybody who
// watches.
func TestStoppingNodesEndStreams(t *testing.T) {
	cfg := configured(t, 1)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	lines := follow(t, "localhost", cfg.Raft.Nodes[0].Port, "since=0")
	require.Contains(t, mustLine(t, lines), "bookmark")
	s.mustStop(t) // what is under way after two seconds is broken off
	require.Regexp(t, `^{"type":"bookmark","revision":\d+}$`, mustLine(t, lines))
	require.False(t, lines.Scan())
	require.NoError(t, lines.Err(), "it was broken off")
}

// watcherBytesMax is what a watcher may cost a node.
const watcherBytesMax = 32 << 10

// A node takes a thousand watchers, who cost it little while nothing is written, and one more is told to go elsewhere.
func TestThousandWatchers(t *testing.T) {
	const watchers = 1000
	cfg := configured(t, 1)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	port := cfg.Raft.Nodes[0].Port
	ofClients := clientMemory(t, watchers)
	before := heldMemory()
	conns := make([]net.Conn, watchers)
	for i := range conns {
		conns[i] = mustWatchRaw(t, port, fmt.Sprint("watched", i))
	}
	t.Cleanup(func() { closeAll(conns) })
	each := (heldMemory() - before - ofClients) / watchers
	t.Logf("a watcher costs %d bytes, beside the %d of its client", each, ofClients/watchers)
	if !raceDetector { // which keeps a memory of its own
		require.Less(t, each, uint64(watcherBytesMax))
	}
	status, _ := request(t, http.MethodGet, port, "/version/watch?wait=1ms", "")
	require.Equal(t, http.StatusTooManyRequests, status)
	_, scraped := request(t, http.MethodGet, port, "/metrics", "")
	require.Regexp(t, regexp.MustCompile(`(?m)^versiond_watchers\{node="node1"\} 1000$`), scraped)

	status, _ = request(t, http.MethodPost, port, "/version", `{"id":"watched500","versionNo":"1","platform":"linux"}`)
	require.Equal(t, http.StatusCreated, status)
	require.NoError(t, conns[500].SetReadDeadline(time.Now().Add(10*time.Second)))
	event := make([]byte, 4096)
	n, err := conns[500].Read(event)
	require.NoError(t, err)
	require.Contains(t, string(event[:n]), `"id":"watched500"`)
	require.NoError(t, conns[501].SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = conns[501].Read(event)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "it is of no interest to others")
	s.mustStop(t)
}

// mustWatchRaw watches one id over a connection that keeps no more in memory than it must.
func mustWatchRaw(t *testing.T, port int, id string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /version/watch?id="+id+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	var answer strings.Builder
	for part := make([]byte, 1024); !strings.Contains(answer.String(), "bookmark"); {
		n, err := conn.Read(part)
		require.NoError(t, err, answer.String())
		answer.Write(part[:n])
	}
	return conn
}

// heldMemory returns what is in use once all garbage is collected.
func heldMemory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// clientMemory returns what so many connections take that nobody has accepted.
func clientMemory(t *testing.T, count int) uint64 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	before, conns := heldMemory(), make([]net.Conn, count)
	for i := range conns {
		conns[i], err = net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
	}
	defer closeAll(conns)
	return heldMemory() - before
}

func closeAll(conns []net.Conn) {
	for _, conn := range conns {
		_ = conn.Close()
	}
}
