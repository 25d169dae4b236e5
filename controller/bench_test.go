package controller_test

import (
	"log/slog"
	"net/http"
	"testing"

	"versiond/controller"
	"versiond/metrics"
)

// BenchmarkGet measures what HTTP costs around a read that the service answers at once.
// Nothing holds its answers against the description of the API, which would cost more than they do.
func BenchmarkGet(b *testing.B) {
	node := mustNode(b)
	b.ReportAllocs()
	for b.Loop() {
		serve(b, node.engines[0], request{method: http.MethodGet, path: "/version/known?level=none"})
	}
}

// BenchmarkGetMeasured is BenchmarkGet with every request measured: the difference is what that costs.
func BenchmarkGetMeasured(b *testing.B) {
	node := mustNode(b)
	m := metrics.New("node1", "1.2.3")
	node.mustMeasure(b, controller.Metrics{Public: m.Public, Peer: m.Peer, Scrape: m.Handler(slog.New(slog.DiscardHandler))})
	b.ReportAllocs()
	for b.Loop() {
		serve(b, node.engines[0], request{method: http.MethodGet, path: "/version/known?level=none"})
	}
}

// BenchmarkPut measures decoding and validation around a write that the service answers at once.
func BenchmarkPut(b *testing.B) {
	node := mustNode(b)
	header := map[string]string{"Content-Type": "application/json"}
	b.ReportAllocs()
	for b.Loop() {
		serve(b, node.engines[0], request{method: http.MethodPut, path: "/version/known", header: header, body: `{"versionNo":"1.0.1","platform":"linux/amd64"}`})
	}
}
