package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The two sides of a snapshot.
const (
	operationPersist = "persist"
	operationRestore = "restore"
)

// Raft counts and times what the Raft node and its applier do.
type Raft struct {
	proposed         prometheus.Histogram
	applyDuration    prometheus.Histogram
	applyEntries     prometheus.Histogram
	applyCommands    prometheus.Histogram
	storeFailures    prometheus.Counter
	logFailures      prometheus.Counter
	snapshotDuration *prometheus.HistogramVec
	snapshotSize     *prometheus.GaugeVec
	snapshotFailures *prometheus.CounterVec
	quorumDuration   prometheus.Histogram
	quorumReads      prometheus.Histogram
	quorumFailures   prometheus.Counter
}

func newRaft(f factory) *Raft {
	r := &Raft{
		proposed:         f.histogram("versiond_group_commands", "Commands of one log entry that this node proposed as leader.", countBuckets),
		applyDuration:    f.histogram("versiond_apply_transaction_duration_seconds", "Time of one transaction by which entries reach the store, tries that failed included.", durationBuckets),
		applyEntries:     f.histogram("versiond_apply_transaction_entries", "Log entries that one transaction applied.", countBuckets),
		applyCommands:    f.histogram("versiond_apply_transaction_commands", "Commands that one transaction applied.", countBuckets),
		storeFailures:    f.counter("versiond_store_write_failures_total", "Times that the store failed the applier, which then tries again."),
		logFailures:      f.counter("versiond_log_write_failures_total", "Times that a write to the Raft log failed, or took so long that the disk counts as hanging; it is then tried again, or waited for."),
		snapshotDuration: f.histograms("versiond_snapshot_duration_seconds", "Time of writing a snapshot (persist) and of loading one (restore).", longBuckets, "operation", operationPersist, operationRestore),
		snapshotSize:     f.NewGaugeVec(prometheus.GaugeOpts{Name: "versiond_snapshot_size_bytes", Help: "Size of the last snapshot that was written (persist) and loaded (restore)."}, []string{"operation"}),
		snapshotFailures: f.counters("versiond_snapshot_failures_total", "Snapshots that could not be written (persist) or loaded (restore); both are tried again.", "operation", operationPersist, operationRestore),
		quorumDuration:   f.histogram("versiond_quorum_round_duration_seconds", "Time of one round in which this node had a quorum confirm that it leads.", durationBuckets),
		quorumReads:      f.histogram("versiond_quorum_round_reads", "Questions for an index to read at, each of them a node's for many reads, that shared one quorum round.", countBuckets),
		quorumFailures:   f.counter("versiond_quorum_round_failures_total", "Quorum rounds that did not confirm it."),
	}
	r.snapshotSize.WithLabelValues(operationPersist)
	r.snapshotSize.WithLabelValues(operationRestore)
	return r
}

// Proposed counts one log entry and its commands.
func (r *Raft) Proposed(commands int) { r.proposed.Observe(float64(commands)) }

// Applied counts one transaction of the applier.
func (r *Raft) Applied(entries, commands int, took time.Duration) {
	r.applyDuration.Observe(took.Seconds())
	r.applyEntries.Observe(float64(entries))
	r.applyCommands.Observe(float64(commands))
}

// StoreFailed counts one failure of the store towards the applier.
func (r *Raft) StoreFailed() { r.storeFailures.Inc() }

// LogFailed counts one failure of a write to the Raft log.
func (r *Raft) LogFailed() { r.logFailures.Inc() }

// SnapshotPersisted counts one snapshot that was written, or was to be.
func (r *Raft) SnapshotPersisted(bytes int64, took time.Duration, err error) {
	r.snapshot(operationPersist, bytes, took, err)
}

// SnapshotRestored counts one snapshot that was loaded, or was to be.
func (r *Raft) SnapshotRestored(bytes int64, took time.Duration, err error) {
	r.snapshot(operationRestore, bytes, took, err)
}

func (r *Raft) snapshot(operation string, bytes int64, took time.Duration, err error) {
	if err != nil {
		r.snapshotFailures.WithLabelValues(operation).Inc()
		return
	}
	r.snapshotDuration.WithLabelValues(operation).Observe(took.Seconds())
	r.snapshotSize.WithLabelValues(operation).Set(float64(bytes))
}

// QuorumRound counts one round in which the leader asked whether it still leads.
func (r *Raft) QuorumRound(reads int, took time.Duration, err error) {
	r.quorumDuration.Observe(took.Seconds())
	r.quorumReads.Observe(float64(reads))
	if err != nil {
		r.quorumFailures.Inc()
	}
}
