// Package metrics shows operators what a node does, in the form that Prometheus reads: the rest of the
// program tells it of events through small interfaces of its own, or is asked when somebody looks.
//
// Nothing here is global. Several nodes may live in one process, and each has a Metrics of its own,
// whose series carry the node's name. All methods may be called from any goroutine.
package metrics

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
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
func New(node, release string) (*Metrics, error) {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.labelled = prometheus.WrapRegistererWith(prometheus.Labels{"node": node}, m.registry)
	requests := newRequestVectors()
	m.Public, m.Peer = newRequests("public", requests), newRequests("peer", requests)
	m.Service, m.Raft = newService(), newRaft()
	err := errors.Join(
		m.register(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newBuildInfo(release)),
		m.register(requests.total, requests.duration),
		m.register(m.Service.collectors()...),
		m.register(m.Raft.collectors()...),
	)
	return m, err
}

func (m *Metrics) register(all ...prometheus.Collector) error {
	for _, c := range all {
		if err := m.labelled.Register(c); err != nil {
			return fmt.Errorf("register a metric: %w", err)
		}
	}
	return nil
}

func newBuildInfo(release string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "versiond_build_info",
		Help:        "1, with the release of versiond and the version of Go that built it as labels.",
		ConstLabels: prometheus.Labels{"release": release, "goversion": runtime.Version()},
	})
	info.Set(1)
	return info
}

// Watch adds what read gives to every scrape. It is called once, when the node is open.
func (m *Metrics) Watch(read func() model.Measures) error {
	return m.register(&measures{read: read})
}

// Handler answers scrapes. Should a part of the metrics fail, it answers the others and logs why.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
		Registry:      m.labelled,
	})
}
