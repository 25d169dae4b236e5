package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// durationBuckets reach from what a cache answers in to the longest that a client waits by default,
// in seconds.
var durationBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// longBuckets are for work on all records at once, in seconds.
var longBuckets = []float64{.001, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600, 1800}

// countBuckets reach to the most commands that a log entry may hold.
var countBuckets = prometheus.ExponentialBuckets(1, 2, 13)

// factory makes metrics and registers them.
type factory struct{ promauto.Factory }

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	return f.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// histograms makes one series for each value of the label at once, and so does counters: a rate over one that begins with
// its first event misses that event.
func (f factory) histograms(name, help string, buckets []float64, label string, values ...string) *prometheus.HistogramVec {
	vector := f.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{label})
	for _, value := range values {
		vector.WithLabelValues(value)
	}
	return vector
}

func (f factory) counter(name, help string) prometheus.Counter {
	return f.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func (f factory) counters(name, help, label string, values ...string) *prometheus.CounterVec {
	vector := f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	for _, value := range values {
		vector.WithLabelValues(value)
	}
	return vector
}

// rounds measures rounds of asking others that many callers share.
type rounds struct {
	duration *prometheus.HistogramVec
	reads    *prometheus.HistogramVec
	failures *prometheus.CounterVec
}

func newRounds(f factory, name, what, label string, values ...string) rounds {
	return rounds{
		duration: f.histograms(name+"_duration_seconds", "Time of "+what+".", durationBuckets, label, values...),
		reads:    f.histograms(name+"_reads", "Reads that shared one of the "+what+".", countBuckets, label, values...),
		failures: f.counters(name+"_failures_total", "Failed "+what+".", label, values...),
	}
}

func (r rounds) observe(label string, reads int, took time.Duration, err error) {
	r.duration.WithLabelValues(label).Observe(took.Seconds())
	r.reads.WithLabelValues(label).Observe(float64(reads))
	if err != nil {
		r.failures.WithLabelValues(label).Inc()
	}
}
