package controller_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// HEAD says what GET would, without the body: probes and caches ask that way, and take a 405 for an
// outage.
func TestHeadAnswersAsGetDoes(t *testing.T) {
	server := httptest.NewServer(mustNode(t).public)
	defer server.Close()
	for _, path := range []string{"/version", "/version/known", "/version/missing", "/version?limit=0", "/peers", "/leader",
		"/metrics", "/livez", "/readyz", "/swagger/index.html", "/swagger/doc.json", "/nowhere"} {
		got, gotBody := mustExchange(t, server, http.MethodGet, path)
		head, headBody := mustExchange(t, server, http.MethodHead, path)
		require.Equal(t, got.StatusCode, head.StatusCode, path)
		require.NotEmpty(t, gotBody, path)
		require.Empty(t, headBody, path)
		for _, name := range []string{"Content-Type", "ETag", "X-Versiond-Node", "X-Versiond-Index"} {
			require.Equal(t, got.Header[http.CanonicalHeaderKey(name)], head.Header[http.CanonicalHeaderKey(name)], "%s of %s", name, path)
		}
	}
}

// A GET that changes something must not be reachable by HEAD, which promises to change nothing.
func TestHeadDoesNotJoin(t *testing.T) {
	server := httptest.NewServer(mustNode(t).public)
	defer server.Close()
	for _, path := range []string{"/join/node4/127.0.0.1:7004", "/backup"} {
		answer, _ := mustExchange(t, server, http.MethodHead, path)
		require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
		require.Contains(t, answer.Header.Get("Allow"), "GET")
	}
}

func mustExchange(t *testing.T, server *httptest.Server, method, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, server.URL+path, nil)
	require.NoError(t, err)
	answer, err := server.Client().Do(req)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(body)
}
