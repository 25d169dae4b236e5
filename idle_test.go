package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/model"
)

// mustRest waits until hardly anything is done. How often goroutines are woken shows every ticker, and depends little on how busy
// the machine is: one that is late for a tick leaves it out.
func mustRest(t *testing.T, wakesMax float64) {
	t.Helper()
	const look = 2 * time.Second // in which everything came to its turn
	looks := time.NewTicker(look)
	defer looks.Stop()
	rate := wakesMax
	for range 5 {
		before := wakes()
		<-looks.C
		rate = float64(wakes()-before) / look.Seconds()
		if rate < wakesMax {
			return
		}
	}
	require.Less(t, rate, wakesMax, "goroutines are woken so many times a second while nothing is done: what ticks?")
}

// wakes counts how often goroutines have begun to run, as far as the runtime counts: every eighth time.
func wakes() (sum uint64) {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	for _, n := range sample[0].Value.Float64Histogram().Counts {
		sum += n
	}
	return 8 * sum
}

// mustFollowSoon writes records until each node has had one in less time than hashicorp/raft takes to tell followers by itself.
func mustFollowSoon(t *testing.T, nodes []config.Node) {
	t.Helper()
	for _, n := range nodes {
		fastest := time.Hour
		for i := 0; i < 20 && fastest >= 40*time.Millisecond; i++ {
			fastest = min(fastest, followTime(t, nodes[0].Port, n, i))
		}
		require.Less(t, fastest, 40*time.Millisecond, "%s learns late of what is committed", n.ID)
	}
}

// followTime writes a record through a port, and returns how long a node then takes to have it.
func followTime(t *testing.T, port int, n config.Node, i int) time.Duration {
	t.Helper()
	status, body := request(t, http.MethodPost, port, "/version", fmt.Sprintf(`{"id":"%s-%d","versionNo":"1","platform":"linux"}`, n.ID, i))
	require.Equal(t, http.StatusCreated, status, body)
	began := time.Now()
	var written struct{ Revision uint64 }
	require.NoError(t, json.Unmarshal([]byte(body), &written))
	status, body = request(t, http.MethodGet, n.Port, fmt.Sprintf("/version/%s-%d?level=none&min_index=%d", n.ID, i, model.IndexOf(written.Revision)), "")
	require.Equal(t, http.StatusOK, status, body)
	return time.Since(began)
}
