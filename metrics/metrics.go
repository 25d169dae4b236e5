// Package metrics shows operators what a node does, in the form that Prometheus reads: the rest of the
// program tells it of events through small interfaces of its own, or is asked when somebody looks.
//
// Nothing here is global. Several nodes may live in one process, and each has a Metrics of its own,
// whose series carry the node's name. All methods may be called from any goroutine.
package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"versiond/model"
)

// Metrics is everything that is measured of one node.
type Metrics struct {
	// Public and Peer are told of the requests on the node's two ports.
	Public, Peer *Requests
	// Service is told what the service layer does, Raft what Raft and the applier do.
	Service *Service
	Raft    *Raft

	registry *prometheus.Registry
	labelled prometheus.Registerer // adds the node's name to what it registers
}

// New makes the metrics of a node, with what the Go runtime and the process tell of themselves. Nodes
// that share a process each show all of its runtime, memory and file numbers.
func New(node, release string) *Metrics {
	registry := prometheus.NewRegistry()
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"node": node}, registry)
	labelled.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := factory{promauto.With(labelled)}
	f.NewGauge(prometheus.GaugeOpts{
		Name:        "versiond_build_info",
		Help:        "1, with the release of versiond and the version of Go that built it as labels.",
		ConstLabels: prometheus.Labels{"release": release, "goversion": runtime.Version()},
	}).Set(1)
	requests := newRequestVectors(f)
	return &Metrics{
		Public: newRequests("public", requests), Peer: newRequests("peer", requests),
		Service: newService(f), Raft: newRaft(f), registry: registry, labelled: labelled,
	}
}

// Watch adds what read returns to every scrape. It is called once, when the node is open.
func (m *Metrics) Watch(read func() model.Measures) { m.labelled.MustRegister(&measures{read: read}) }

// WatchCertificate adds how long the certificate of a port (public or peer) still counts.
func (m *Metrics) WatchCertificate(port string, until func() time.Time) {
	m.labelled.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "versiond_certificate_remaining_seconds",
		Help:        "Time until the certificate of this port ends; below 0 when it has.",
		ConstLabels: prometheus.Labels{"port": port},
	}, func() float64 { return time.Until(until()).Seconds() }))
}

// Handler answers scrapes. Should a part of the metrics fail, it answers the others and logs why.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
		Registry:      m.labelled,
	})
}
