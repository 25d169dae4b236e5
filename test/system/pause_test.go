package system_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// A leader that is frozen, deposed meanwhile and wakes up with reads waiting in its sockets must not
// answer them with what it remembers: it has to ask the voters anew. Answers that were on their way
// before it froze must not count.
func TestFrozenLeaderAnswersNothingStale(t *testing.T) {
	c := cluster.Start(t, mode{name: "embedded"}.config())
	for round := range 4 {
		id := fmt.Sprintf("frozen-%d", round)
		old := c.Leader()
		mustAdd(t, old, id)
		stop := keepReading(t, old, id) // so that rounds of the read check are on their way
		old.Pause()
		updated := updateElsewhere(t, c, old, id)
		answers := readLater(t, old, id, 20)
		old.Resume()
		stop()
		for err := range answers {
			require.NoError(t, err)
		}
		_, err := old.Client.Get(t.Context(), id, model.ReadOptions{Level: model.LevelLinearizable, MinIndex: updated.Index})
		require.NoError(t, err, "the old leader does not come back")
	}
}

// keepReading reads until it is told to stop. What it reads is not looked at.
func keepReading(t *testing.T, n *cluster.Node, id string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = n.Client.Get(ctx, id, model.ReadOptions{Level: model.LevelLinearizable}) // load
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	return func() { cancel(); wg.Wait() }
}

// updateElsewhere changes the record through a node that is awake, once there is a new leader.
func updateElsewhere(t *testing.T, c *cluster.Cluster, frozen *cluster.Node, id string) (result model.Result) {
	t.Helper()
	awake := c.Nodes[0]
	if awake == frozen {
		awake = c.Nodes[1]
	}
	cluster.Eventually(t, 15*time.Second, "an update while the leader is frozen", func() (err error) {
		result, err = awake.Client.Update(t.Context(), model.VersionDB{ID: id, VersionNo: "2", Platform: "linux"}, 0)
		return err
	})
	return result
}

// readLater sends reads to a frozen node, which answers them when it wakes, and says of each what is
// wrong with its answer. An error is a right answer: the node may not know better yet.
func readLater(t *testing.T, n *cluster.Node, id string, count int) <-chan error {
	wrong := make(chan error, count)
	var wg sync.WaitGroup
	for range count {
		wg.Go(func() {
			result, err := n.Client.Get(context.WithoutCancel(t.Context()), id, model.ReadOptions{Level: model.LevelLinearizable})
			if err == nil && result.Record.VersionNo != "2" {
				wrong <- fmt.Errorf("%s answered %+v after the update was acknowledged", n.ID, result)
			}
		})
	}
	time.Sleep(300 * time.Millisecond) // let the requests reach its sockets
	go func() { wg.Wait(); close(wrong) }()
	return wrong
}
