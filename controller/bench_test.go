package controller_test

import (
	"net/http"
	"testing"
)

// BenchmarkGet measures what HTTP costs around a read that the service answers at once.
func BenchmarkGet(b *testing.B) {
	node := mustNode(b)
	b.ReportAllocs()
	for b.Loop() {
		node.do(b, request{method: http.MethodGet, path: "/version/known?level=none"})
	}
}

// BenchmarkPut measures decoding and validation around a write that the service answers at once.
func BenchmarkPut(b *testing.B) {
	node := mustNode(b)
	header := map[string]string{"Content-Type": "application/json"}
	b.ReportAllocs()
	for b.Loop() {
		node.do(b, request{method: http.MethodPut, path: "/version/known", header: header, body: `{"versionNo":"1.0.1","platform":"linux/amd64"}`})
	}
}
