package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/load/measure"
)

// A ratio that was taken from the wrong row, or a bound that was read the wrong way round, would let
// the document claim what was not measured.
func TestVerdicts(t *testing.T) {
	r := &result{}
	for system, figures := range map[string][2]float64{measure.Embedded: {360, 10}, measure.WithServers: {220, 30}, measure.Etcd: {200, 20}} {
		r.Rows = append(r.Rows,
			row{Work: "write", Clients: 64, System: system, Rate: figures[0], P99: figures[1]},
			row{Work: "write", Clients: 1, System: system, Rate: 1, P50: 1})
	}
	verdicts := map[string][2]string{}
	for _, target := range targets() {
		verdicts[target.what] = [2]string{r.verdict(target, measure.Embedded), r.verdict(target, measure.WithServers)}
	}
	require.Equal(t, [2]string{"1.80, met", "1.10, missed"}, verdicts["writes of 64 clients, rate, × etcd"])
	require.Equal(t, [2]string{"0.50, met", "1.50, missed"}, verdicts["writes of 64 clients, 99th percentile, × etcd"])
	require.Equal(t, [2]string{"1.00, met", "1.00, met"}, verdicts["writes of one client, median latency, × etcd"])
	require.Equal(t, "not measured", verdicts["mixed, rate, × etcd"][0])
}

// Every target is about a cell that is measured; a misspelt one would say "not measured" for ever.
func TestTargetsAreMeasured(t *testing.T) {
	var measured []string
	for _, group := range slices.Concat(cells(), watchedCells()) {
		for _, c := range group {
			measured = append(measured, c.title())
		}
	}
	for _, each := range targets() {
		require.Subset(t, measured, each.cells)
	}
}

// The page says of which memory is spoken: that of nodes, and not of the databases beside them.
func TestPeaksAreThoseOfNodes(t *testing.T) {
	r := &result{Memory: []memoryNote{
		{System: measure.Embedded, Peak: 2, Node: true}, {System: measure.Embedded, Peak: 3, Node: true},
		{System: measure.WithServers, Peak: 4, Node: true}, {System: measure.WithServers, Peak: 100},
		{System: measure.Etcd, Peak: 2, Node: true},
	}}
	value, measured := peakToEtcd(r, measure.WithServers)
	require.True(t, measured)
	require.InDelta(t, 2, value, 0.01)
	_, measured = peakToEtcd(&result{}, measure.Embedded)
	require.False(t, measured)
}

// Errors that the table does not show would make a system that answers nothing look fast.
func TestErrorsAreShown(t *testing.T) {
	r := &result{Began: time.Now(), Rows: []row{{Work: "write", Clients: 1, System: measure.Etcd, Errors: 7, FirstError: "no space"}}}
	text := r.markdown()
	require.Contains(t, text, "| 7 |\n")
	require.Contains(t, text, "no space")
	require.Equal(t, 1, strings.Count(text, "The first error"))
}

// A row that was compared with another mode's, or with its own, would hide what a change costs.
func TestRowsAreComparedWithAnotherVersiond(t *testing.T) {
	r := &result{Began: time.Now(), Others: []string{"old"}}
	for system, figures := range map[string]float64{"versiond embedded": 300, "old embedded": 200, "versiond, MySQL and Redis": 100, "old, MySQL and Redis": 400, measure.Etcd: 1} {
		r.Rows = append(r.Rows, row{Work: "write", Clients: 1, System: system, Rate: figures, Rates: []float64{figures, 2 * figures}, P50: 2 * figures})
		r.Memory = append(r.Memory, memoryNote{System: system})
	}
	text := r.markdown()
	require.Regexp(t, `(?m)^\| write \| 1 \| versiond embedded .* 1.50 ± 0.00 \| 1.50 \|$`, text)
	require.Regexp(t, `(?m)^\| write \| 1 \| versiond, MySQL and Redis .* 0.25 ± 0.00 \| 0.25 \|$`, text)
	require.Regexp(t, `(?m)^\| write \| 1 \| old embedded .* 1.00 ± 0.00 \| 1.00 \|$`, text)
	require.Regexp(t, `(?m)^\| write \| 1 \| etcd .* — \| — \|$`, text)

	page := r.forPage().markdown()
	require.NotRegexp(t, "old (embedded|,)|× old", page)
	require.Contains(t, page, "* not shown: ")
	require.Contains(t, page, "versiond embedded")
	require.Equal(t, text, r.markdown(), "the result itself is whole")
}

// Of what differs by chance nobody may read that a change made it.
func TestChanceIsShown(t *testing.T) {
	old := &row{Rates: []float64{100, 200, 100, 200}}
	require.Equal(t, "1.10 ± 0.00", byRound(&row{Rates: []float64{110, 220, 110, 220}}, old), "the machine changed, and both with it")
	require.Equal(t, "1.00 ± 0.40", byRound(&row{Rates: []float64{200, 100, 200, 100}}, old))
	require.Equal(t, "1.00 ± 0.00", byRound(&row{Rates: []float64{100}}, &row{Rates: []float64{100}}))
	require.Equal(t, "—", byRound(old, nil))
}

// Who misspells the flag is told before minutes have passed.
func TestOtherVersiondsAreRefused(t *testing.T) {
	for _, wrong := range []string{"", "old", "old=", "=/bin/sh", "versiond=/bin/sh", "a|b=/bin/sh", "old=/no/such/program"} {
		_, err := parse([]string{"-versiond", wrong}, io.Discard)
		require.Error(t, err, wrong)
	}
	_, err := parse([]string{"-versiond", "old=/bin/sh", "-versiond", "old=/bin/ls"}, io.Discard)
	require.ErrorContains(t, err, "taken")
	o, err := parse([]string{"-versiond", "old=/bin/sh"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []other{{"old", "/bin/sh"}}, o.others)
}

// The bare handler is what a node is compared with: it has to answer the same bytes.
func TestBareHandlerAnswersTheSameBytes(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"4096"`)
		w.Header()["X-Versiond-Index"] = []string{"7"}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(`{"id":"read-0","revision":4096}`))
	}))
	defer node.Close()
	a, err := fetch(t.Context(), node.URL+"/version/read-0")
	require.NoError(t, err)
	bare := httptest.NewServer(bareServer(a).Handler)
	defer bare.Close()
	require.Equal(t, mustAsk(t, node.URL), mustAsk(t, bare.URL))
}

// mustAsk returns an answer as it came over the connection, without its date.
func mustAsk(t *testing.T, url string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("GET /version/read-0?level=none HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"))
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), "read-0")
	return regexp.MustCompile("Date: .*\r\n").ReplaceAllString(string(answer), "")
}
