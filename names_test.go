package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// statusAs returns how a request is answered that calls the node by a name.
func statusAs(t *testing.T, method, address, host, body string, header ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address, strings.NewReader(body))
	require.NoError(t, err)
	r.Host, r.Close = host, true
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// The settings for names reach both ports of a node: without tokens it answers to its own names and to those
// that are trusted, and takes changes from pages that are.
func TestANodeKnowsItsNames(t *testing.T) {
	cfg := configured(t, 1)
	cfg.Server.TrustedHosts = []string{"registry.example.com"}
	cfg.Server.TrustedOrigins = []string{"https://registry.example.com"}
	s, node := start(t, cfg), cfg.Raft.Nodes[0]
	defer s.mustStop(t)
	mustBeReady(t, cfg.Raft.Nodes)
	public := "127.0.0.1:" + strconv.Itoa(node.Port)
	for host, want := range map[string]int{"evil.example:8081": http.StatusForbidden, "Registry.example.com": http.StatusOK, node.Address: http.StatusOK, "localhost": http.StatusOK} {
		require.Equal(t, want, statusAs(t, http.MethodGet, public+"/version", host, ""), host)
		require.Equal(t, want, statusAs(t, http.MethodGet, node.Address+"/status", host, ""), host)
	}
	require.Equal(t, http.StatusForbidden, statusAs(t, http.MethodPost, public+"/version", public, sampleRecord, "Origin", "https://other.example.com"))
	require.Equal(t, http.StatusCreated, statusAs(t, http.MethodPost, public+"/version", public, sampleRecord, "Origin", "https://registry.example.com"))
}
