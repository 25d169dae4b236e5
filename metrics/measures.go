package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"versiond/model"
)

// measures is what a node is asked for when somebody looks, which costs nothing in between.
type measures struct{ read func() model.Measures }

// measure is one number of a Measures.
type measure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*model.Measures) float64
}

func gauge(name, help string, value func(*model.Measures) float64) measure {
	return measure{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
}

func counter(name, help string, value func(*model.Measures) float64) measure {
	return measure{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, value}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// numbers are the measures without labels.
var numbers = []measure{
	gauge("versiond_raft_is_leader", "1 on the leader.", func(m *model.Measures) float64 { return truth(m.State == "leader") }),
	gauge("versiond_raft_leader_known", "1 when the node knows who leads.", func(m *model.Measures) float64 { return truth(m.LeaderKnown) }),
	gauge("versiond_raft_removed", "1 when the node is no longer a member of its cluster.", func(m *model.Measures) float64 { return truth(m.Removed) }),
	gauge("versiond_raft_term", "The Raft term that the node is in.", func(m *model.Measures) float64 { return float64(m.Term) }),
	gauge("versiond_raft_commit_index", "The last log index that the node knows to be committed.", func(m *model.Measures) float64 { return float64(m.CommitIndex) }),
	gauge("versiond_raft_applied_index", "The last log index whose effect the node's store holds.", func(m *model.Measures) float64 { return float64(m.AppliedIndex) }),
	gauge("versiond_raft_last_index", "The last log index that the node has, committed or not.", func(m *model.Measures) float64 { return float64(m.LastIndex) }),
	gauge("versiond_raft_last_contact_seconds", "How long ago the node heard a leader; 0 on the leader.", func(m *model.Measures) float64 { return m.LastContact.Seconds() }),
	gauge("versiond_raft_members", "Members of the cluster, voters or not.", func(m *model.Measures) float64 { return float64(m.Members) }),
	gauge("versiond_raft_voters", "Members that have a vote.", func(m *model.Measures) float64 { return float64(m.Voters) }),

	gauge("versiond_log_held", "1 while a write to the Raft log waits for the disk, because it failed or hangs: the node does not lead meanwhile.", func(m *model.Measures) float64 { return truth(m.LogHeld) }),
	gauge("versiond_applier_serving", "1 when the node's store is known to be its own and to be as far as it says, and nothing speaks against what it holds.", func(m *model.Measures) float64 { return truth(m.Serving) }),
	gauge("versiond_store_differs", "1 while the store is known to hold something else than the log makes, until it is built anew.", func(m *model.Measures) float64 { return truth(m.StoreDiffers) }),
	gauge("versiond_members_disagree", "1 while the node's records are known to differ from those of another member and no majority says whose are right.", func(m *model.Measures) float64 { return truth(m.MembersDisagree) }),
	gauge("versiond_applier_lag_entries", "Committed log entries that the store does not hold yet.", func(m *model.Measures) float64 { return float64(m.CommitIndex - min(m.AppliedIndex, m.CommitIndex)) }),
	gauge("versiond_applier_lag_seconds", "How long the oldest entry that the store does not hold yet has waited for it.", func(m *model.Measures) float64 { return m.ApplierLag.Seconds() }),
	counter("versiond_store_read_failures_total", "Reads that the store failed.", func(m *model.Measures) float64 { return float64(m.StoreReadFailures) }),

	gauge("versiond_records", "Records that the node has, which is the size of its revision index.", func(m *model.Measures) float64 { return float64(m.Records) }),
	gauge("versiond_memory_records", "Records in MemoryDB.", func(m *model.Measures) float64 { return float64(m.MemoryRecords) }),
	counter("versiond_lookups_absent_total", "Reads of ids that no record has, answered by the revision index alone.", func(m *model.Measures) float64 { return float64(m.Lookups.Absent) }),
	gauge("versiond_watchers", "Streams of changes that are open.", func(m *model.Measures) float64 { return float64(m.Watchers) }),
	counter("versiond_watch_events_total", "Events that watchers were given, bookmarks too.", func(m *model.Measures) float64 { return float64(m.WatchEvents) }),
	counter("versiond_watchers_too_slow_total", "Streams that were ended because the client did not take its events.", func(m *model.Measures) float64 { return float64(m.WatchersTooSlow) }),
	gauge("versiond_redis_pending_writes", "Changes that wait to be written to Redis.", func(m *model.Measures) float64 { return float64(m.RedisPending) }),
	counter("versiond_redis_write_failures_total", "Batches that Redis did not take; the reload mends that.", func(m *model.Measures) float64 { return float64(m.RedisFailures) }),
}

var (
	stateDesc  = prometheus.NewDesc("versiond_raft_state", "1 for the state that the node is in, 0 for the others.", []string{"state"}, nil)
	lookupDesc = prometheus.NewDesc("versiond_lookups_total", "Reads of single records that came to a tier, by whether it had the current revision.", []string{"tier", "result"}, nil)
)

var states = []string{"leader", "follower", "candidate", "shutdown", "waiting"}

// Describe implements prometheus.Collector.
func (c *measures) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range numbers {
		descs <- m.desc
	}
	descs <- stateDesc
	descs <- lookupDesc
}

// Collect implements prometheus.Collector: it asks the node.
func (c *measures) Collect(out chan<- prometheus.Metric) {
	now := c.read()
	for _, m := range numbers {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&now))
	}
	for _, state := range states {
		out <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, truth(state == now.State), state)
	}
	collectLookups(out, now.Lookups)
}

func collectLookups(out chan<- prometheus.Metric, l model.Lookups) {
	tier := func(name string, hits, misses uint64) {
		out <- prometheus.MustNewConstMetric(lookupDesc, prometheus.CounterValue, float64(hits), name, "hit")
		out <- prometheus.MustNewConstMetric(lookupDesc, prometheus.CounterValue, float64(misses), name, "miss")
	}
	tier("memory", l.MemoryHits, l.MemoryMisses)
	tier("redis", l.RedisHits, l.RedisMisses)
	tier("store", l.StoreHits, l.StoreMisses)
}
