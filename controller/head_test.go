package controller_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// HEAD answers as GET does, without the body: probes and caches ask that way, and take a 405 for an
// outage.
func TestHeadAnswersAsGetDoes(t *testing.T) {
	server := httptest.NewServer(mustNode(t).public)
	defer server.Close()
	for _, path := range []string{"/version", "/version/known", "/version/missing", "/version?limit=0", "/version/watch?wait=1ms", "/version/watch?since=x", "/peers", "/leader",
		"/metrics", "/whoami", "/", "/console/app.js", "/console/nothing.js", "/livez", "/readyz", "/swagger/index.html", "/openapi.yaml", "/nowhere"} {
		got, head := mustExchange(t, server, http.MethodGet, path), mustExchange(t, server, http.MethodHead, path)
		require.Equal(t, got.status, head.status, path)
		require.NotEmpty(t, got.body, path)
		require.Empty(t, head.body, path)
		for _, name := range []string{"Content-Type", "ETag", "X-Versiond-Node", "X-Versiond-Index"} {
			require.Equal(t, got.header.Values(name), head.header.Values(name), "%s of %s", name, path)
		}
	}
}

// A GET that changes something must not be reachable by HEAD, which promises to change nothing.
func TestHeadDoesNotJoin(t *testing.T) {
	server := httptest.NewServer(mustNode(t).public)
	defer server.Close()
	for _, path := range []string{"/join/node4/127.0.0.1:7004", "/backup"} {
		answer := mustExchange(t, server, http.MethodHead, path)
		require.Equal(t, http.StatusMethodNotAllowed, answer.status)
		require.Contains(t, answer.header.Get("Allow"), "GET")
	}
}

type exchanged struct {
	status int
	header http.Header
	body   string
}

func mustExchange(t *testing.T, server *httptest.Server, method, path string) exchanged {
	t.Helper()
	req, err := http.NewRequest(method, server.URL+path, nil)
	require.NoError(t, err)
	answer, err := server.Client().Do(req)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return exchanged{answer.StatusCode, answer.Header, string(body)}
}
