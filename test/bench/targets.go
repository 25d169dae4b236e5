package main

import "versiond/test/load/measure"

// target is a bound that this project has set itself, against etcd in the same run.
type target struct {
	what    string
	work    string
	clients int
	// value compares ours with etcd's; most says that it is to be at most the bound, not at least.
	value func(ours, etcd *row) float64
	most  bool
	// bounds by the name of the system.
	bounds map[string]float64
}

func both(bound float64) map[string]float64 {
	return map[string]float64{measure.Embedded: bound, measure.WithServers: bound}
}

func rates(ours, etcd *row) float64   { return ours.Rate / etcd.Rate }
func medians(ours, etcd *row) float64 { return ours.P50 / etcd.P50 }
func tails(ours, etcd *row) float64   { return ours.P99 / etcd.P99 }

var targets = []target{
	{what: "writes of 64 clients, rate", work: "write", clients: 64, value: rates, bounds: both(1.6)},
	{what: "writes of 256 clients, rate", work: "write", clients: 256, value: rates, bounds: both(1.8)},
	{what: "writes of one client, median latency", work: "write", clients: 1, value: medians, most: true, bounds: map[string]float64{measure.Embedded: 1, measure.WithServers: 1.2}},
	{what: "writes of 64 clients, 99th percentile", work: "write", clients: 64, value: tails, most: true, bounds: both(0.8)},
	{what: "reads at `none`, rate, to serializable ones", work: "read none", clients: 64, value: rates, bounds: both(2.6)},
	{what: "linearizable reads, rate", work: "read linearizable", clients: 64, value: rates, bounds: both(2.5)},
	{what: "mixed, rate", work: "mixed", clients: 64, value: rates, bounds: both(2.5)},
}

// met reports whether a value keeps the system's bound.
func (t target) met(system string, value float64) bool {
	if t.most {
		return value <= t.bounds[system]
	}
	return value >= t.bounds[system]
}
