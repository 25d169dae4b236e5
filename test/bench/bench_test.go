package main

import (
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
	for _, target := range targets {
		verdicts[target.what] = [2]string{r.verdict(target, measure.Embedded), r.verdict(target, measure.WithServers)}
	}
	require.Equal(t, [2]string{"1.80, met", "1.10, missed"}, verdicts["writes of 64 clients, rate"])
	require.Equal(t, [2]string{"0.50, met", "1.50, missed"}, verdicts["writes of 64 clients, 99th percentile"])
	require.Equal(t, [2]string{"1.00, met", "1.00, met"}, verdicts["writes of one client, median latency"])
	require.Equal(t, "not measured", verdicts["mixed, rate"][0])
}

// Every target is about a cell that is measured; a misspelt one would say "not measured" for ever.
func TestTargetsAreMeasured(t *testing.T) {
	var measured []string
	for _, c := range cells() {
		if !c.ours {
			measured = append(measured, c.title())
		}
	}
	for _, each := range targets {
		require.Contains(t, measured, cell{name: each.work, workers: each.clients}.title())
	}
}

// Errors that the table does not show would make a system that answers nothing look fast.
func TestErrorsAreShown(t *testing.T) {
	r := &result{Began: time.Now(), Rows: []row{{Work: "write", Clients: 1, System: measure.Etcd, Errors: 7, FirstError: "no space"}}}
	text := r.markdown()
	require.Contains(t, text, "| 7 |\n")
	require.Contains(t, text, "no space")
	require.Equal(t, 1, strings.Count(text, "The first error"))
}
