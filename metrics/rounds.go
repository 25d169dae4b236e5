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

func newRounds(name, what string, labels ...string) rounds {
	return rounds{
		duration: newHistograms(name+"_duration_seconds", "Time of "+what+".", durationBuckets, labels...),
		reads:    newHistograms(name+"_reads", "Reads that shared one of the "+what+".", countBuckets, labels...),
		failures: newCounters(name+"_failures_total", "Failed "+what+".", labels...),
	}
}

func (r rounds) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.duration, r.reads, r.failures}
}

func (r rounds) observe(label string, reads int, took time.Duration, err error) {
	r.duration.WithLabelValues(label).Observe(took.Seconds())
	r.reads.WithLabelValues(label).Observe(float64(reads))
	if err != nil {
		r.failures.WithLabelValues(label).Inc()
	}
}
