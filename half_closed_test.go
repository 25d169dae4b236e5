package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/load/crowd"
)

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
		{node.Address, "GET /status HTTP/1.1", "", "200 OK"},
	} {
		conn := crowd.SendAndHalfClose(t, each.address, fmt.Sprintf(
			"%s\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", each.line, len(each.body), each.body))
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, "%d: %s", i, each.line)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err, "%d: %s", i, each.line)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, each.want, answer.Status, "%d: %s: %s", i, each.line, body)
	}
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
			header, problem := mustReadProblem(t, bufio.NewReader(crowd.SendAndHalfClose(t, address, request)))
			require.Equal(t, "node1", header.Get("X-Versiond-Node"))
			require.Equal(t, want.status, problem.Status, "%.40s", request)
			require.Equal(t, want.code, problem.Code)
			require.Contains(t, problem.Detail, want.detail)
		}
	}
}
