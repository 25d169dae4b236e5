package system_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/load/history"
)

const (
	historyDuration = 7 * time.Second
	historyKeys     = 5
	historyWorkers  = 6
	// historyPause keeps the number of operations such that the checker comes to an end.
	historyPause        = 4 * time.Millisecond
	historyCheckTimeout = 2 * time.Minute
)

// Without this, a read could miss a write that was acknowledged before it began, an update could be
// lost, or a create happen twice, while every single answer looks right.
func TestHistoryIsLinearizable(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		t.Run("healthy", func(t *testing.T) { requireLinearizable(t, c, func(context.Context) {}) })
		t.Run("the leader moves", func(t *testing.T) {
			requireLinearizable(t, c, func(ctx context.Context) { moveLeader(ctx, c) })
		})
	})
}

func requireLinearizable(t *testing.T, c *cluster.Cluster, disturb func(context.Context)) {
	r := recordHistory(t, c, model.LevelLinearizable, historyDuration, disturb)
	wrong, undecided := r.Check(historyCheckTimeout)
	require.Empty(t, wrong, "no single store can explain what was answered for these records")
	require.Empty(t, undecided, "the checker did not come to an end")
	require.Greater(t, r.Count(), 500, "too few operations to prove anything")
	t.Logf("%d operations", r.Count())
}

// The check above proves something only if it fails when reads are not linearizable: reads of what
// each node happens to have applied, passed off as linearizable, must not get through.
func TestLocalReadsWouldBeFound(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, mode{name: "embedded"}.config())
	r := recordHistory(t, c, model.LevelNone, 5*time.Second, func(context.Context) {})
	wrong, _ := r.Check(historyCheckTimeout)
	require.NotEmpty(t, wrong, "%d operations with local reads were found linearizable", r.Count())
}

func recordHistory(t *testing.T, c *cluster.Cluster, level model.Level, duration time.Duration, disturb func(context.Context)) *history.Recorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	w := history.Start(ctx, c.Clients(), history.Options{
		Prefix: fmt.Sprintf("h%d", rand.Uint32()), Keys: historyKeys, Workers: historyWorkers, Levels: []model.Level{level}, AsLinearizable: true, Pause: historyPause,
	})
	disturb(ctx)
	return w.Wait()
}

func moveLeader(ctx context.Context, c *cluster.Cluster) {
	for i := 0; ctx.Err() == nil; i++ {
		to := c.Nodes[i%len(c.Nodes)]
		_, _ = to.Client.Transfer(ctx, to.ID) // one that fails moves nothing; the next one does
		select {
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
		}
	}
}
