package measure

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// streaming is a system of one node that is busy at first and then tells each watcher of two changes of its prefix.
func streaming(t *testing.T, stays bool) *System {
	t.Helper()
	var asked atomic.Int64
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		prefix := r.URL.Query().Get("prefix")
		fmt.Fprintf(w, `{"type":"bookmark","revision":4096}`+"\n")
		fmt.Fprintf(w, `{"type":"put","revision":8192,"record":{"id":"%s1","versionNo":"1.0.0"}}`+"\n", prefix)
		fmt.Fprintf(w, `{"type":"delete","revision":8193,"id":"%s2"}`+"\n", prefix)
		_ = http.NewResponseController(w).Flush()
		if stays {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(node.Close)
	return &System{Nodes: []*Server{{Address: strings.TrimPrefix(node.URL, "http://")}}}
}

// Changes that watchers are told of are counted, each with its id and its node; bookmarks are none.
func TestWatchersCountChanges(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	watch := Watch{PerNode: 2, Prefix: func(i int) string { return fmt.Sprint("t", i, "-") }, Seen: func(_ int, id string) {
		mu.Lock()
		defer mu.Unlock()
		seen[id]++
	}}
	watchers, err := watch.Start(t.Context(), streaming(t, true))
	require.NoError(t, err)
	require.NoError(t, watchers.Await(t.Context(), 4))
	require.NoError(t, watchers.Stop())
	require.Equal(t, map[string]int{"t0-1": 1, "t0-2": 1, "t1-1": 1, "t1-2": 1}, seen)
}

// A node that ends its streams would seem to carry its watchers for nothing.
func TestEndedStreamsAreToldOf(t *testing.T) {
	watchers, err := Watch{PerNode: 1, Prefix: func(int) string { return "t" }}.Start(t.Context(), streaming(t, false))
	require.NoError(t, err)
	require.ErrorContains(t, watchers.Await(t.Context(), 3), "ended")
	require.ErrorContains(t, watchers.Stop(), "ended")
}

// A steady load must not be more than it says: what is measured beside it would wait for its own load.
func TestSteadyLoadKeepsItsRate(t *testing.T) {
	load := Load{Workers: 2, Duration: 100 * time.Millisecond, PerSecond: 100, Work: func(c Client, _, _ int, _ *rand.Rand) error { return c.Read("", None) }}
	tally := load.work([]Client{&fake{}, &fake{}})
	require.LessOrEqual(t, tally.Operations, 10+load.Workers)
	require.Greater(t, tally.Operations, 0)
	require.GreaterOrEqual(t, tally.Elapsed, 90*time.Millisecond)
}
