package controller_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/peer"
)

// called sends a request that calls the node by a name.
func called(handler http.Handler, method, path, host string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(`{"id":"x","versionNo":"1","platform":"p"}`))
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

// A page of evil.example that makes its name mean 127.0.0.1 is, to the browser, of the same origin as the
// node: it reaches every node that asks nobody for a token, unless the node knows how it is called.
func TestAPageThatRebindsItsNameReachesNothing(t *testing.T) {
	n := mustNode(t)
	rebound := []string{"Origin", "http://evil.example:8081", "Sec-Fetch-Site", "same-origin"}
	for _, each := range []struct {
		handler http.Handler
		request string
	}{
		{n.public, "POST /version"},
		{n.public, "GET /version"},
		{n.public, "GET /version/known"},
		{n.public, "POST /join/node4/127.0.0.1:7004"},
		{n.public, "DELETE /peer/node1"},
		{n.public, "GET /backup"},
		{n.public, "POST /restore"},
		{n.public, "GET /metrics"},
		{n.peer, "GET /?id=node4&addr=127.0.0.1:7004"},
		{n.peer, "GET /status"},
		{n.peer, "POST /restore"},
		{n.peer, "DELETE /peer/node1"},
	} {
		method, path, _ := strings.Cut(each.request, " ")
		for _, host := range []string{"evil.example:8081", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "node1.example.evil.example"} {
			index, records, members := n.service.snapshot()
			problem := requireProblem(t, called(each.handler, method, path, host, rebound...), http.StatusForbidden, "unknown_host")
			require.Contains(t, problem.Detail, "server.trustedHosts")
			indexAfter, recordsAfter, membersAfter := n.service.snapshot()
			require.Equal(t, index, indexAfter)
			require.Equal(t, records, recordsAfter)
			require.Equal(t, members, membersAfter)
		}
	}
}

// Whoever calls a node by a name that no stranger can make his own is let in, and so are other nodes by
// whatever name they reach it, probes, and everybody where tokens and the secret keep pages out.
func TestWhoIsNoReboundPageIsLetIn(t *testing.T) {
	n, guarded := mustNode(t), mustGuardedNode(t)
	for _, host := range []string{"localhost:8081", "LOCALHOST", "localhost.", "versiond.localhost:80", "127.0.0.1:8081", "10.1.2.3", "[::1]:8081", "[::1]", ownHost, ownHost + ":7001", "Node1.Example.:8081", ""} {
		require.Equal(t, http.StatusOK, called(n.public, http.MethodGet, "/version/known", host).Code, host)
		require.Equal(t, http.StatusOK, called(n.peer, http.MethodGet, "/term", host).Code, host)
	}
	for _, path := range []string{"/livez", "/readyz", "/swagger/index.html"} {
		require.Equal(t, http.StatusOK, called(n.public, http.MethodGet, path, "balancer.example").Code, path)
	}
	require.Equal(t, http.StatusOK, called(n.peer, http.MethodGet, "/term", "alias.example:7001", peer.NodeHeader, "1").Code)
	require.Equal(t, http.StatusOK, called(guarded.public, http.MethodGet, "/version/known", "any.example", "Authorization", "Bearer "+readSecret).Code)
	require.Equal(t, http.StatusOK, called(guarded.peer, http.MethodGet, "/term", "any.example", peer.SecretHeader, clusterSecret).Code)
}

// A browser knows the proxy's name, the node the one that the proxy has put into Host. Only a page of an
// origin that is trusted may change something then, and the refusal of others says how to become that.
func TestPagesBehindAProxyThatRewritesHost(t *testing.T) {
	n := mustNode(t)
	require.Equal(t, http.StatusCreated, called(n.public, http.MethodPost, "/version", ownHost, "Origin", trustedOrigin).Code)
	require.Equal(t, http.StatusOK, called(n.public, http.MethodGet, "/join/node4/127.0.0.1:7004", ownHost, "Referer", trustedOrigin+"/swagger/index.html").Code)
	for _, origin := range []string{"http://registry.example.com", "https://registry.example.com:8443", "https://registry.example.com.evil.example"} {
		problem := requireProblem(t, called(n.public, http.MethodPost, "/version", ownHost, "Origin", origin), http.StatusForbidden, "cross_site")
		require.Contains(t, problem.Detail, "server.trustedOrigins")
		requireProblem(t, called(n.public, http.MethodGet, "/join/node4/127.0.0.1:7004", ownHost, "Referer", origin+"/"), http.StatusForbidden, "cross_site")
	}
}
