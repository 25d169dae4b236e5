package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// rounds measures rounds of asking others that many callers share.
type rounds struct {
	duration *prometheus.HistogramVec
	reads    *prometheus.HistogramVec
	failures *prometheus.CounterVec
}

func newRounds(f factory, name, what, label string, values ...string) rounds {
	r := rounds{
		duration: f.histograms(name+"_duration_seconds", "Time of "+what+".", durationBuckets, label),
		reads:    f.histograms(name+"_reads", "Reads that shared one of the "+what+".", countBuckets, label),
		failures: f.counters(name+"_failures_total", "Failed "+what+".", label),
	}
	for _, value := range values {
		r.duration.WithLabelValues(value)
		r.reads.WithLabelValues(value)
		r.failures.WithLabelValues(value)
	}
	return r
}

func (r rounds) observe(label string, reads int, took time.Duration, err error) {
	r.duration.WithLabelValues(label).Observe(took.Seconds())
	r.reads.WithLabelValues(label).Observe(float64(reads))
	if err != nil {
		r.failures.WithLabelValues(label).Inc()
	}
}
