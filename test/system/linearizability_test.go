package system_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/cluster"
	"versiond/test/history"
)

const (
	historyDuration = 15 * time.Second
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
	c := cluster.Start(t, mode{name: "embedded"}.config())
	r := recordHistory(t, c, model.LevelNone, 5*time.Second, func(context.Context) {})
	wrong, _ := r.Check(historyCheckTimeout)
	require.NotEmpty(t, wrong, "%d operations with local reads were found linearizable", r.Count())
}

func recordHistory(t *testing.T, c *cluster.Cluster, level model.Level, duration time.Duration, disturb func(context.Context)) *history.Recorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	w := &historians{recorder: history.NewRecorder(), clients: c.Clients(), level: level, prefix: fmt.Sprintf("h%d", rand.Uint32())}
	var wg sync.WaitGroup
	for i := range historyWorkers {
		wg.Go(func() { w.run(ctx, i) })
	}
	wg.Go(func() { disturb(ctx) })
	wg.Wait()
	return w.recorder
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

// historians are clients that write and read a few records on all nodes.
type historians struct {
	recorder *history.Recorder
	clients  []*cluster.Client
	level    model.Level
	prefix   string
	serial   atomic.Int64
}

func (w *historians) run(ctx context.Context, worker int) {
	random := rand.New(rand.NewPCG(uint64(worker), 7))
	last := map[string]uint64{} // the revisions that this worker saw last
	for ctx.Err() == nil {
		in := w.pick(random, last)
		client := w.clients[random.IntN(len(w.clients))]
		w.recorder.Do(worker, in, func() history.Output {
			out := w.ask(client, in)
			if out.Revision != 0 {
				last[in.Key] = out.Revision
			}
			return out
		})
		time.Sleep(historyPause)
	}
}

func (w *historians) pick(random *rand.Rand, last map[string]uint64) history.Input {
	in := history.Input{Key: fmt.Sprintf("%s-%d", w.prefix, random.IntN(historyKeys)), VersionNo: fmt.Sprint("v", w.serial.Add(1))}
	switch n := random.IntN(100); {
	case n < 45:
		in.Kind = history.Read
	case n < 65:
		in.Kind = history.Add
	case n < 90:
		in.Kind = history.Update
	default:
		in.Kind = history.Delete
	}
	if (in.Kind == history.Update || in.Kind == history.Delete) && random.IntN(2) == 0 {
		in.IfRevision = last[in.Key]
	}
	return in
}

// ask makes one request. It has a deadline of its own, so that the end of the test makes no unknowns.
func (w *historians) ask(client *cluster.Client, in history.Input) history.Output {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	record := model.VersionDB{ID: in.Key, VersionNo: in.VersionNo, Platform: "linux"}
	var result model.Result
	var err error
	switch in.Kind {
	case history.Read:
		result, err = client.Get(ctx, in.Key, model.ReadOptions{Level: w.level})
	case history.Add:
		result, err = client.Add(ctx, record)
	case history.Update:
		result, err = client.Update(ctx, record, in.IfRevision)
	case history.Delete:
		_, err = client.Delete(ctx, in.Key, in.IfRevision)
	}
	return output(result, err)
}

func output(result model.Result, err error) history.Output {
	if err == nil {
		return history.Output{Outcome: model.OutcomeDone, VersionNo: result.Record.VersionNo, Revision: result.Record.Revision}
	}
	switch cluster.CodeOf(err) {
	case "already_exists":
		return history.Output{Outcome: model.OutcomeAlreadyExists}
	case "not_found":
		return history.Output{Outcome: model.OutcomeNotFound}
	case "revision_mismatch":
		return history.Output{Outcome: model.OutcomeRevisionMismatch}
	}
	// Refused writes did nothing; to count them as unknown only makes the check weaker.
	return history.Output{Unknown: true}
}
