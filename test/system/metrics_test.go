package system_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	promodel "github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// scrape is what a node answers to Prometheus.
type scrape map[string]*dto.MetricFamily

func mustScrape(t *testing.T, client *cluster.Client) scrape {
	t.Helper()
	status, text, err := client.Send(t.Context(), false, http.MethodGet, "/metrics", nil, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, string(text))
	parser := expfmt.NewTextParser(promodel.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(t, err)
	return families
}

// sum adds up the series of a family whose labels are at least these, given as name=value; of a
// histogram it counts what was observed.
func (s scrape) sum(family string, labels ...string) (total float64) {
	for _, m := range s[family].GetMetric() {
		var have []string
		for _, label := range m.GetLabel() {
			have = append(have, label.GetName()+"="+label.GetValue())
		}
		if !slices.ContainsFunc(labels, func(want string) bool { return !slices.Contains(have, want) }) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return total
}

func (s scrape) series() (count int) {
	for name, family := range s {
		if strings.HasPrefix(name, "versiond_") {
			count += len(family.GetMetric())
		}
	}
	return count
}

// What operators see must be what happened, on the node where it happened. If this fails, alerts and
// graphs tell of another cluster than the one that runs.
func TestMetricsTellWhatHappened(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config("VERSIOND_RAFT_SNAPSHOTINTERVAL=500ms", "VERSIOND_RAFT_SNAPSHOTTHRESHOLD=20", "VERSIOND_RAFT_TRAILINGLOGS=5"))
		leader, follower := c.Leader(), c.Followers()[0]
		mustAddMany(t, leader, "here", 30)
		mustAddMany(t, follower, "there", 10)
		_, err := leader.Client.Add(t.Context(), record("here-0001"))
		requireCode(t, "already_exists", err)
		_, err = follower.Client.Get(t.Context(), "nowhere", model.ReadOptions{})
		requireCode(t, "not_found", err)
		_, err = follower.Client.Get(t.Context(), "here-0001", model.ReadOptions{})
		require.NoError(t, err)
		waitMetric(t, leader, "versiond_snapshot_duration_seconds", "operation=persist")

		requireLeaderTells(t, mustScrape(t, leader.Client))
		cluster.Eventually(t, 10*time.Second, "the follower is to apply what it has gathered", func() error {
			if records := mustScrape(t, follower.Client).sum("versiond_records"); records != 40 {
				return fmt.Errorf("it has %v records", records)
			}
			return nil
		})
		requireFollowerTells(t, mustScrape(t, follower.Client), mustScrape(t, leader.Client))
		if m.shared != nil {
			waitReload(t, c)
		}
	})
}

// waitMetric waits until something was counted or observed.
func waitMetric(t *testing.T, n *cluster.Node, family string, labels ...string) {
	t.Helper()
	cluster.Eventually(t, 10*time.Second, fmt.Sprint(family, labels, " on ", n.ID), func() error {
		if mustScrape(t, n.Client).sum(family, labels...) == 0 {
			return fmt.Errorf("nothing so far")
		}
		return nil
	})
}

// waitReload waits until some node has reloaded the Redis that all share: nodes that tick together take no turns.
func waitReload(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	cluster.Eventually(t, 10*time.Second, "a node is to reload Redis", func() error {
		for _, n := range c.Nodes {
			if mustScrape(t, n.Client).sum("versiond_reload_duration_seconds", "outcome=done") > 0 {
				return nil
			}
		}
		return fmt.Errorf("none has so far")
	})
}

func requireLeaderTells(t *testing.T, s scrape) {
	t.Helper()
	require.EqualValues(t, 1, s.sum("versiond_raft_is_leader"))
	require.EqualValues(t, 1, s.sum("versiond_raft_state"), "a node is in one state")
	require.EqualValues(t, 1, s.sum("versiond_raft_state", "state=leader"))
	require.EqualValues(t, 3, s.sum("versiond_raft_voters"))
	require.EqualValues(t, 40, s.sum("versiond_records"))
	require.EqualValues(t, 30, s.sum("versiond_writes_total", "outcome=done"), "those that the follower was asked for are the follower's")
	require.EqualValues(t, 1, s.sum("versiond_writes_total", "outcome=already_exists"))
	require.EqualValues(t, 30, s.sum("versiond_http_requests_total", "port=public", "route=/version", "status=201"))
	require.EqualValues(t, 1, s.sum("versiond_http_requests_total", "port=public", "route=/version", "status=409"))
	require.EqualValues(t, 41, s.sum("versiond_group_commands"), "one client at a time makes groups of one")
	require.LessOrEqual(t, 1., s.sum("versiond_apply_transaction_duration_seconds"))
	require.LessOrEqual(t, 1., s.sum("versiond_snapshot_duration_seconds", "operation=persist"))
	require.Positive(t, s.sum("versiond_snapshot_size_bytes", "operation=persist"))
	asked := s.sum("versiond_http_requests_total", "port=peer", "route=/read-index") + s.sum("versiond_http_requests_total", "port=peer", "route=/read")
	require.LessOrEqual(t, 2., asked, "the follower's two reads were confirmed here")
	require.Equal(t, s.sum("versiond_raft_commit_index"), s.sum("versiond_raft_applied_index")+s.sum("versiond_applier_lag_entries"))
}

func requireFollowerTells(t *testing.T, s, leader scrape) {
	t.Helper()
	require.Zero(t, s.sum("versiond_raft_is_leader"))
	require.EqualValues(t, 1, s.sum("versiond_raft_state", "state=follower"))
	require.EqualValues(t, 10, s.sum("versiond_writes_total", "outcome=done"))
	require.EqualValues(t, 10, s.sum("versiond_forwarded_group_commands"))
	require.Zero(t, s.sum("versiond_group_commands"))
	// While it is behind its log it passes reads on to the leader.
	require.EqualValues(t, 1, s.sum("versiond_lookups_absent_total")+leader.sum("versiond_lookups_absent_total"))
	require.EqualValues(t, 1, s.sum("versiond_lookups_total", "result=hit")+leader.sum("versiond_lookups_total", "result=hit"))
	require.EqualValues(t, 40, s.sum("versiond_records"))
}

// Whoever can reach the port could otherwise fill the memory of the node and of Prometheus.
func TestRequestsCannotMakeSeries(t *testing.T) {
	c := cluster.Start(t, cluster.Config{Program: program, Nodes: 1})
	client := c.Nodes[0].Client
	ask := func(from, to int) {
		for i := from; i < to; i++ {
			for _, path := range []string{"/no/such/%d", "/version/%d", "/version/%d?level=none", "/peer/x%d", "/%%2F%d"} {
				for _, method := range []string{http.MethodGet, http.MethodDelete, fmt.Sprintf("METHOD%d", i)} {
					_, _, err := client.Send(t.Context(), false, method, fmt.Sprintf(path, i), nil, "")
					require.NoError(t, err)
				}
			}
		}
	}
	ask(0, 2)
	mustScrape(t, client) // the first scrape is a request of its own
	before := mustScrape(t, client).series()
	ask(2, 40)
	require.Equal(t, before, mustScrape(t, client).series())
}

// Nodes that share a process have metrics of their own, each under its own name.
func TestMetricsOfNodesInOneProcess(t *testing.T) {
	q := newQuickStart(t)
	q.run("all.log")
	q.waitReady(30 * time.Second)
	leaders := 0.
	for _, n := range q.nodes {
		s := mustScrape(t, n.client)
		leaders += s.sum("versiond_raft_is_leader")
		for _, name := range slices.Sorted(maps.Keys(s)) {
			require.EqualValues(t, len(s[name].GetMetric()), s.labelled(name, "node", n.id), "%s of %s", name, n.id)
		}
	}
	require.EqualValues(t, 1, leaders)
}

func (s scrape) labelled(family, name, value string) (count int) {
	for _, m := range s[family].GetMetric() {
		for _, label := range m.GetLabel() {
			if label.GetName() == name && label.GetValue() == value {
				count++
			}
		}
	}
	return count
}
