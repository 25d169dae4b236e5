package metrics_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	promodel "github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"versiond/metrics"
	"versiond/model"
)

func mustScrape(t testing.TB, m *metrics.Metrics) []byte {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, recorder.Code, recorder.Body.String())
	require.True(t, strings.HasPrefix(recorder.Header().Get("Content-Type"), "text/plain"))
	return recorder.Body.Bytes()
}

func mustParse(t testing.TB, scrape []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(promodel.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(scrape))
	require.NoError(t, err)
	return families
}

// series returns the series of a family whose labels are at least these, given as name, value and so on.
func series(t testing.TB, m *metrics.Metrics, family string, labels ...string) []*dto.Metric {
	t.Helper()
	var found []*dto.Metric
	for _, each := range mustParse(t, mustScrape(t, m))[family].GetMetric() {
		have := map[string]string{}
		for _, label := range each.GetLabel() {
			have[label.GetName()] = label.GetValue()
		}
		match := true
		for i := 0; i < len(labels); i += 2 {
			match = match && have[labels[i]] == labels[i+1]
		}
		if match {
			found = append(found, each)
		}
	}
	return found
}

func requireCount(t testing.TB, want float64, m *metrics.Metrics, family string, labels ...string) {
	t.Helper()
	found := series(t, m, family, labels...)
	require.Len(t, found, 1, "%s %v", family, labels)
	require.InDelta(t, want, found[0].GetCounter().GetValue()+found[0].GetGauge().GetValue(), 1e-9, "%s %v", family, labels)
}

// What Prometheus cannot read, or warns of, is of no use to operators.
func TestScrapeIsWellFormed(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	m.Watch(func() model.Measures { return model.Measures{State: "leader"} })
	m.Public.Answered(http.MethodGet, "/version/:id", http.StatusOK, time.Millisecond)
	scrape := mustScrape(t, m)
	problems, err := promlint.New(bytes.NewReader(scrape)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	for name, family := range mustParse(t, scrape) {
		for _, each := range family.GetMetric() {
			require.Contains(t, fmt.Sprint(each.GetLabel()), `value:"node1"`, name)
		}
	}
	requireCount(t, 1, m, "versiond_build_info", "release", "1.2.3")
}

// Three nodes share a process by default: what one does must not be told of another.
func TestNodesDoNotMix(t *testing.T) {
	one, two := metrics.New("node1", "1.2.3"), metrics.New("node2", "1.2.3")
	one.Service.Written(model.CommandAdd, nil, time.Millisecond)
	requireCount(t, 1, one, "versiond_writes_total", "node", "node1", "operation", "add", "outcome", "done")
	requireCount(t, 0, two, "versiond_writes_total", "node", "node2", "operation", "add", "outcome", "done")
	require.Empty(t, series(t, one, "versiond_writes_total", "node", "node2"))
}

// Clients choose paths and methods. Were each a series, anybody could fill the memory of the node and
// of Prometheus.
func TestClientsMakeNoSeries(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	for i := range 500 {
		m.Public.Answered(fmt.Sprintf("METHOD%d", i), "", http.StatusMethodNotAllowed, 0)
	}
	requireCount(t, 500, m, "versiond_http_requests_total")
	requireCount(t, 500, m, "versiond_http_requests_total", "port", "public", "method", "other", "route", "unrouted", "status", "405")
}

// The ports, routes and statuses are told apart, and requests that meet at a new series are not lost.
func TestRequestsAreCounted(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 100 {
				m.Public.Answered(http.MethodGet, "/version/:id", http.StatusOK+i%10, time.Millisecond)
				m.Peer.Answered(http.MethodGet, "/version/:id", http.StatusOK+worker, time.Second)
			}
		})
	}
	wg.Wait()
	for i := range 10 {
		requireCount(t, 80, m, "versiond_http_requests_total", "port", "public", "status", fmt.Sprint(http.StatusOK+i))
	}
	duration := series(t, m, "versiond_http_request_duration_seconds", "port", "peer", "route", "/version/:id")
	require.Len(t, duration, 1)
	require.EqualValues(t, 800, duration[0].GetHistogram().GetSampleCount())
	require.InDelta(t, 800, duration[0].GetHistogram().GetSampleSum(), 1e-6)
}

// A write of unknown outcome that is counted as refused hides the one thing an operator must look at.
func TestWritesByOutcome(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	for err, outcome := range map[error]string{
		errors.Join(model.ErrNoLeader, model.ErrOutcomeUnknown): "outcome_unknown",
		fmt.Errorf("x: %w", model.ErrAlreadyExists):             "already_exists",
		model.ErrRevisionMismatch:                               "revision_mismatch",
		model.ErrTooManyRequests:                                "too_many_requests",
		model.ErrStoreUnavailable:                               "store_unavailable",
		errors.New("of a driver, with user:password"):           "failed",
	} {
		m.Service.Written(model.CommandUpdate, err, time.Millisecond)
		requireCount(t, 1, m, "versiond_writes_total", "operation", "update", "outcome", outcome)
	}
	require.NotContains(t, string(mustScrape(t, m)), "password")
}

// The items of a batch are writes like any other; were they not counted, the graphs would show a cluster
// that is loaded in batches as idle.
func TestBatchesCountTheirItems(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	batch := model.Unit{Commands: []model.Command{{Type: model.CommandAdd}, {Type: model.CommandAdd}, {Type: model.CommandDelete}}}
	outcome := model.UnitOutcome{Outcomes: []model.Outcome{{Code: model.OutcomeNotDone}, {Code: model.OutcomeAlreadyExists}, {Code: model.OutcomeNotDone}}}
	m.Service.BatchWritten(batch, model.UnitResult{UnitOutcome: outcome}, nil, time.Millisecond)
	m.Service.BatchWritten(batch, model.UnitResult{UnitOutcome: outcome, Wrong: map[int]error{0: model.ErrInvalid, 1: model.ErrInvalid, 2: model.ErrInvalid}}, nil, time.Millisecond)
	m.Service.BatchWritten(batch, model.UnitResult{}, model.ErrOutcomeUnknown, time.Millisecond)
	requireCount(t, 1, m, "versiond_writes_total", "operation", "add", "outcome", "not_done")
	requireCount(t, 1, m, "versiond_writes_total", "operation", "add", "outcome", "already_exists")
	requireCount(t, 1, m, "versiond_writes_total", "operation", "delete", "outcome", "not_done")
	requireCount(t, 2, m, "versiond_writes_total", "operation", "add", "outcome", "outcome_unknown")
	duration := series(t, m, "versiond_write_duration_seconds", "operation", "batch")
	require.Len(t, duration, 1)
	require.EqualValues(t, 3, duration[0].GetHistogram().GetSampleCount())
}

// Gauges say what the node is at the moment of the scrape, and nothing older.
func TestMeasuresAreReadWhenAsked(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	now := model.Measures{State: "follower", CommitIndex: 10, AppliedIndex: 7, ApplierLag: 1500 * time.Millisecond, Lookups: model.Lookups{RedisHits: 3}}
	m.Watch(func() model.Measures { return now })
	requireCount(t, 1, m, "versiond_raft_state", "state", "follower")
	requireCount(t, 0, m, "versiond_raft_state", "state", "leader")
	requireCount(t, 0, m, "versiond_raft_is_leader")
	requireCount(t, 3, m, "versiond_applier_lag_entries")
	requireCount(t, 1.5, m, "versiond_applier_lag_seconds")
	requireCount(t, 3, m, "versiond_lookups_total", "tier", "redis", "result", "hit")

	now = model.Measures{State: "leader", CommitIndex: 10, AppliedIndex: 11}
	requireCount(t, 1, m, "versiond_raft_is_leader")
	requireCount(t, 0, m, "versiond_raft_state", "state", "follower")
	requireCount(t, 0, m, "versiond_applier_lag_entries", "node", "node1") // the two are read one after the other
}

// What Raft and the applier tell arrives under its own name.
func TestRaftIsObserved(t *testing.T) {
	m := metrics.New("node1", "1.2.3")
	m.Raft.Proposed(3)
	m.Raft.Applied(2, 5, 10*time.Millisecond)
	m.Raft.StoreFailed()
	m.Raft.SnapshotPersisted(1000, time.Second, nil)
	m.Raft.SnapshotPersisted(5, time.Second, errors.New("disk full"))
	m.Raft.SnapshotRestored(2000, 2*time.Second, nil)
	m.Raft.QuorumRound(7, time.Millisecond, model.ErrNotLeader)
	for family, sum := range map[string]float64{
		"versiond_group_commands":                     3,
		"versiond_apply_transaction_entries":          2,
		"versiond_apply_transaction_commands":         5,
		"versiond_apply_transaction_duration_seconds": .01,
		"versiond_quorum_round_reads":                 7,
	} {
		require.InDelta(t, sum, series(t, m, family)[0].GetHistogram().GetSampleSum(), 1e-9, family)
	}
	requireCount(t, 1, m, "versiond_store_write_failures_total")
	requireCount(t, 1000, m, "versiond_snapshot_size_bytes", "operation", "persist")
	requireCount(t, 2000, m, "versiond_snapshot_size_bytes", "operation", "restore")
	requireCount(t, 1, m, "versiond_snapshot_failures_total", "operation", "persist")
	requireCount(t, 1, m, "versiond_quorum_round_failures_total")
}

func BenchmarkAnswered(b *testing.B) {
	m := metrics.New("node1", "1.2.3")
	b.ReportAllocs()
	for b.Loop() {
		m.Public.Answered(http.MethodGet, "/version/:id", http.StatusOK, time.Millisecond)
	}
}
