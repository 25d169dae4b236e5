package main

import "versiond/test/load/measure"

// target is a bound that this project has set itself, for figures of one run.
type target struct {
	what string
	// value returns what a system has reached, false when it was not measured.
	value func(r *result, system string) (float64, bool)
	// most is set when the value is to be at most the bound, not at least.
	most bool
	// bounds by the name of the system.
	bounds map[string]float64
	// cells are those that the value is of, by their titles.
	cells []string
}

func both(bound float64) map[string]float64 {
	return map[string]float64{measure.Embedded: bound, measure.WithServers: bound}
}

// figure is what is compared of a row.
type figure func(*row) float64

func rate(r *row) float64   { return r.Rate }
func median(r *row) float64 { return r.P50 }
func tail(r *row) float64   { return r.P99 }

// targets are those of the page, in its order.
func targets() []target {
	return []target{
		atLeast(1.6, "writes of 64 clients, rate, × etcd", toSystem(measure.Etcd, workWrite, 64, rate)),
		atLeast(1.8, "writes of 256 clients, rate, × etcd", toSystem(measure.Etcd, workWrite, 256, rate)),
		atMost(1, "writes of one client, median latency, × etcd", toSystem(measure.Etcd, workWrite, 1, median)).withServers(1.2),
		atMost(0.8, "writes of 64 clients, 99th percentile, × etcd", toSystem(measure.Etcd, workWrite, 64, tail)),
		atLeast(2.6, "reads at `none`, rate, × etcd's serializable ones", toSystem(measure.Etcd, workNone, 64, rate)),
		atLeast(0.9, "reads at `none`, rate, × Gin with a constant", toSystem(measure.Bare, workNone, 64, rate)),
		atLeast(2.5, "linearizable reads, rate, × etcd", toSystem(measure.Etcd, workLinearizable, 64, rate)),
		atLeast(2.5, "mixed, rate, × etcd", toSystem(measure.Etcd, workMixed, 64, rate)),
		atMost(1.3, "peak memory of a node, × etcd", value{of: peakToEtcd}),
		atLeast(0.8, "`check` at `none`, rate, × reads at `none`", toWork(workCheck, workNone)),
		atLeast(0.9, "writes beside 1,000 watchers a node that they do not concern, × without", toWork(workWatched, workUnwatched)),
		atLeast(0.9, "writes that one of 1,000 watchers of each node is told of, × without", toWork(workTold, workUnwatched)),
		atMost(50, "from a write to a watcher at another node at 1,000 writes a second, median, ms", alone(workSeen, median)),
		atMost(32, "memory of a watcher, KiB", value{of: kibibytesOfWatcher}),
	}
}

// value is how a target's value is found, and the cells that it is of.
type value struct {
	of    func(r *result, system string) (float64, bool)
	cells []string
}

func atLeast(bound float64, what string, v value) target {
	return target{what: what, value: v.of, cells: v.cells, bounds: both(bound)}
}

func atMost(bound float64, what string, v value) target {
	return target{what: what, value: v.of, cells: v.cells, bounds: both(bound), most: true}
}

// withServers sets another bound for the system with MySQL and Redis.
func (t target) withServers(bound float64) target {
	t.bounds[measure.WithServers] = bound
	return t
}

// met reports whether a value keeps the system's bound.
func (t target) met(system string, value float64) bool {
	if t.most {
		return value <= t.bounds[system]
	}
	return value >= t.bounds[system]
}

// toSystem compares with what another system did in the same cell.
func toSystem(other, work string, clients int, f figure) value {
	return value{func(r *result, system string) (float64, bool) {
		return quotient(f, r.find(work, clients, system), r.find(work, clients, other))
	}, []string{cell{name: work, workers: clients}.title()}}
}

// toWork compares the rate of 64 clients with that of other work of the same system.
func toWork(work, other string) value {
	return value{func(r *result, system string) (float64, bool) {
		return quotient(rate, r.find(work, 64, system), r.find(other, 64, system))
	}, []string{cell{name: work, workers: 64}.title(), cell{name: other, workers: 64}.title()}}
}

// alone takes the figure of 64 clients as it is.
func alone(work string, f figure) value {
	return value{func(r *result, system string) (float64, bool) {
		found := r.find(work, 64, system)
		if found == nil {
			return 0, false
		}
		return f(found), true
	}, []string{cell{name: work, workers: 64}.title()}}
}

func quotient(f figure, ours, other *row) (float64, bool) {
	if ours == nil || other == nil || f(other) == 0 {
		return 0, false
	}
	return f(ours) / f(other), true
}

func peakToEtcd(r *result, system string) (float64, bool) {
	ours, etcd := r.peak(system), r.peak(measure.Etcd)
	if ours == 0 || etcd == 0 {
		return 0, false
	}
	return float64(ours) / float64(etcd), true
}

func kibibytesOfWatcher(r *result, system string) (float64, bool) {
	bytes, ok := r.WatcherBytes[system]
	return float64(bytes) / (1 << 10), ok
}
