package metrics

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What stands for a path that has no route and for a method that HTTP does not know: clients choose
// both, and each value would be a series.
const (
	unrouted      = "unrouted"
	unknownMethod = "other"
)

// Requests counts and times what one port answers.
type Requests struct {
	port    string
	vectors requestVectors
	// series is copied when it grows, which it does once for each status of a route: looking a series up takes
	// neither a lock nor memory.
	series atomic.Pointer[map[requestKey]requestSeries]
	mu     sync.Mutex // serialises growing
}

type requestVectors struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

type requestKey struct {
	method, route string
	status        int
}

type requestSeries struct {
	total    prometheus.Counter
	duration prometheus.Observer
}

func newRequestVectors(f factory) requestVectors {
	return requestVectors{
		total:    f.NewCounterVec(prometheus.CounterOpts{Name: "versiond_http_requests_total", Help: "Requests answered, by port, method, route and status."}, []string{"port", "method", "route", "status"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{Name: "versiond_http_request_duration_seconds", Help: "Time from a request's header to the end of its answer, or the beginning of a stream.", Buckets: durationBuckets}, []string{"port", "method", "route"}),
	}
}

func newRequests(port string, vectors requestVectors) *Requests {
	r := &Requests{port: port, vectors: vectors}
	r.series.Store(&map[requestKey]requestSeries{})
	return r
}

// Answered counts one request. Route is the pattern that it matched, "" when it matched none.
func (r *Requests) Answered(method, route string, status int, took time.Duration) {
	if route == "" {
		method, route = knownMethod(method), unrouted
	}
	key := requestKey{method, route, status}
	series, ok := (*r.series.Load())[key]
	if !ok {
		series = r.grow(key)
	}
	series.total.Inc()
	series.duration.Observe(took.Seconds())
}

func (r *Requests) grow(key requestKey) requestSeries {
	r.mu.Lock()
	defer r.mu.Unlock()
	grown := maps.Clone(*r.series.Load())
	grown[key] = requestSeries{
		total:    r.vectors.total.WithLabelValues(r.port, key.method, key.route, strconv.Itoa(key.status)),
		duration: r.vectors.duration.WithLabelValues(r.port, key.method, key.route),
	}
	r.series.Store(&grown)
	return grown[key]
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return unknownMethod
}
