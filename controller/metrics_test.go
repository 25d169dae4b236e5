package controller_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/metrics"
	"versiond/routers"
)

// witness remembers what it was told of one port.
type witness struct {
	mu       sync.Mutex
	requests []string
	took     time.Duration
}

func (w *witness) Answered(method, route string, status int, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, fmt.Sprint(method, " ", route, " ", status))
	w.took = took
}

// mustMeasure puts both ports of a node under these metrics.
func (n *node) mustMeasure(t testing.TB, m controller.Metrics) {
	t.Helper()
	v, err := controller.NewVersionController(n.service, slog.New(slog.DiscardHandler), controller.Options{Hosts: named.Hosts, Origins: named.Origins, Metrics: m})
	require.NoError(t, err)
	p, err := controller.NewPeerController(n.service, "", ownHost)
	require.NoError(t, err)
	n.hold(t, routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p))
}

// A request is measured under its route, whatever the id, with the status that the client gets: also
// when it is a problem that was answered after the handler, or a panic.
func TestRequestsAreMeasured(t *testing.T) {
	n, public, peer := mustNode(t), &witness{}, &witness{}
	n.mustMeasure(t, controller.Metrics{Public: public, Peer: peer, Scrape: http.NotFoundHandler()})
	n.get(t, "/version/known?level=none")
	n.get(t, "/version/missing?level=none")
	n.get(t, "/version/known?level=strong")
	n.get(t, "/no/such/path")
	n.send(t, "BREW", "/version/known", "")
	serve(t, n.peer, request{method: http.MethodGet, path: "/term"})
	n.service.panics = "broken"
	n.get(t, "/version/known")

	require.Equal(t, []string{
		"GET /version/:id 200", "GET /version/:id 404", "GET /version/:id 400", "GET  404", "BREW  405", "GET /version/:id 500",
	}, public.requests)
	require.Equal(t, []string{"GET /term 200"}, peer.requests)
	require.Positive(t, public.took)
}

// A stream is measured once, when it begins: hours in which somebody watched would be all that the durations show.
func TestStreamsAreMeasuredAsTheyBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, public := mustNode(t), &witness{}
		n.mustMeasure(t, controller.Metrics{Public: public, Peer: public, Scrape: http.NotFoundHandler()})
		began := time.Now()
		n.get(t, "/version/watch?wait=30s")
		require.Equal(t, 30*time.Second, time.Since(began))
		n.get(t, "/version/watch?since=1")
		require.Equal(t, []string{"GET /version/watch 200", "GET /version/watch 410"}, public.requests)
		require.Zero(t, public.took)
	})
}

// A scrape is an answer like the others: it says who gave it, and refuses what it does not know.
func TestMetricsAreServed(t *testing.T) {
	n := mustNode(t)
	m := metrics.New("node1", "1.2.3")
	n.mustMeasure(t, controller.Metrics{Public: m.Public, Peer: m.Peer, Scrape: m.Handler(slog.New(slog.DiscardHandler))})
	n.get(t, "/version/known")
	answer := n.get(t, "/metrics")
	require.Equal(t, http.StatusOK, answer.Code)
	requireLabels(t, answer, "7")
	require.Contains(t, answer.Body.String(), `versiond_http_requests_total{method="GET",node="node1",port="public",route="/version/:id",status="200"} 1`)
	requireProblem(t, n.get(t, "/metrics?x=1"), http.StatusBadRequest, "invalid_request")
}

// A controller that measures nothing has nothing to show.
func TestMetricsOfAnUnmeasuredController(t *testing.T) {
	requireProblem(t, mustNode(t).get(t, "/metrics"), http.StatusNotFound, "no_such_path")
}
