package client_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// front stands before a node, and does to requests what a test wants.
type front struct {
	*httptest.Server
	mu sync.Mutex
	// seen are the requests that have come.
	seen []*http.Request
}

// deed is what a front does with a request; pass hands it to the node.
type deed func(w http.ResponseWriter, r *http.Request, number int, pass http.Handler)

func mustFront(t *testing.T, node string, do deed) *front {
	t.Helper()
	target, err := url.Parse(node)
	require.NoError(t, err)
	f, pass := &front{}, httputil.NewSingleHostReverseProxy(target)
	pass.FlushInterval, pass.ErrorLog = -1, log.New(io.Discard, "", 0)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r, f.note(r), pass) }))
	t.Cleanup(f.Close)
	return f
}

// note returns how many requests came before.
func (f *front) note(r *http.Request) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, r)
	return len(f.seen) - 1
}

func (f *front) requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// lose lets the node do what it is asked and then cuts the connection.
func lose(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	pass.ServeHTTP(httptest.NewRecorder(), r)
	hang(w)
}

// hang cuts the connection.
func hang(w http.ResponseWriter) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

// refuse answers as a node does that cannot do it now.
func refuse(w http.ResponseWriter, status int, code, retryAfter string) {
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Versiond-Node", "node9")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"code":"` + code + `","detail":"so says the test"}`))
}

// mustBeDead returns an address at which nobody answers.
func mustBeDead(t *testing.T) string {
	t.Helper()
	return "http://" + cluster.FreeAddress(t)
}
