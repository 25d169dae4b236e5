package metrics

import "github.com/prometheus/client_golang/prometheus"

// durationBuckets reach from what a cache answers in to the longest that a client waits by default,
// in seconds.
var durationBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// longBuckets are for work on all records at once, in seconds.
var longBuckets = []float64{.001, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600, 1800}

// countBuckets reach to the most commands that a log entry may hold.
var countBuckets = prometheus.ExponentialBuckets(1, 2, 13)

func newHistogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

func newHistograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

func newCounters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}
