package system_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/authority"
	"versiond/test/harness/cluster"
)

// undrawn are metrics that the dashboard leaves out, each with its reason.
var undrawn = map[string]string{}

// A panel that asks for what no node has stays empty without a word, and what no panel shows is missed
// when it matters.
func TestDashboardShowsWhatIsMeasured(t *testing.T) {
	t.Parallel()
	ca := authority.New(t, "authority")
	files := authority.WriteFiles(t, ca.Node(t, "node1"), ca.PEM)
	c := cluster.New(t, cluster.Config{Program: program, Nodes: 1, Env: []string{
		"VERSIOND_CLUSTER_CERTFILE=" + files.Cert, "VERSIOND_CLUSTER_KEYFILE=" + files.Key, "VERSIOND_CLUSTER_CAFILE=" + files.CA,
	}})
	node := c.Nodes[0]
	node.Start()
	node.WaitReady()
	mustAdd(t, node, "a")
	measured := mustScrape(t, node.Client)
	asked := map[string]bool{}
	for _, name := range dashboardMetrics(t) {
		family := familyOf(measured, name)
		require.NotEmpty(t, family, "no node has %s", name)
		asked[family] = true
	}
	for name := range measured {
		if strings.HasPrefix(name, "versiond_") {
			_, left := undrawn[name]
			require.True(t, asked[name] != left, "%s: on the dashboard: %v, left out: %v", name, asked[name], left)
		}
	}
}

// familyOf names the family that a query's metric belongs to: histograms and summaries have several.
func familyOf(s scrape, name string) string {
	if s[name] != nil && s[name].GetType() != dto.MetricType_HISTOGRAM {
		return name
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		family := strings.TrimSuffix(name, suffix)
		if kind := s[family].GetType(); family != name && (kind == dto.MetricType_HISTOGRAM || kind == dto.MetricType_SUMMARY) {
			return family
		}
	}
	return ""
}

// dashboardPart is what the test needs of a panel, of which rows may hold others.
type dashboardPart struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		RefID      string `json:"refId"`
		Expr       string `json:"expr"`
		Datasource struct{ Type, UID string }
	} `json:"targets"`
	Panels []dashboardPart `json:"panels"`
}

var metricName = regexp.MustCompile(`\b(?:versiond|go|process|promhttp)_[a-z0-9_]+`)

// dashboardMetrics returns the metrics that the panels and variables of the dashboard ask for.
func dashboardMetrics(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/grafana-dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels     []dashboardPart `json:"panels"`
		Templating struct {
			List []struct{ Name, Type, Definition string }
		} `json:"templating"`
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	variables := map[string]string{}
	for _, v := range dashboard.Templating.List {
		variables[v.Name] = v.Type
		names = append(names, metricName.FindAllString(v.Definition, -1)...)
	}
	require.Equal(t, map[string]string{"datasource": "datasource", "node": "query"}, variables)
	ids := map[int]string{}
	for _, panel := range dashboard.Panels {
		require.Empty(t, ids[panel.ID], "%s has the ID of another panel", panel.Title)
		ids[panel.ID] = panel.Title
		names = append(names, panelMetrics(t, panel)...)
	}
	return names
}

func panelMetrics(t *testing.T, panel dashboardPart) (names []string) {
	t.Helper()
	require.NotEmpty(t, panel.Title)
	require.LessOrEqual(t, panel.GridPos.X+panel.GridPos.W, 24, panel.Title)
	require.Equal(t, panel.Type == "row", len(panel.Targets) == 0, panel.Title)
	for _, target := range panel.Targets {
		require.Equal(t, "${datasource}", target.Datasource.UID, panel.Title)
		found := metricName.FindAllString(target.Expr, -1)
		require.NotEmpty(t, found, "%s asks for nothing: %s", panel.Title, target.Expr)
		require.Equal(t, len(found), strings.Count(target.Expr, `node=~"$node"`), "%s does not heed the node: %s", panel.Title, target.Expr)
		names = append(names, found...)
	}
	return names
}
