package chaos

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/failpoint"
	"versiond/test/cluster"
)

// stepTimeout bounds how long a node takes to come to the step at which it dies: snapshots want some hundred
// entries first.
const stepTimeout = 60 * time.Second

var (
	applySteps = []string{
		failpoint.ApplyDecided, failpoint.ApplyWritten, failpoint.ApplyMoved, failpoint.ApplyCommitted,
		failpoint.ApplyPublished, failpoint.ApplyAnswered, failpoint.SnapshotOpened, failpoint.SnapshotWritten,
	}
	cacheSteps   = []string{failpoint.CacheWritten}
	restoreSteps = []string{failpoint.RestoreMarked, failpoint.RestoreCleared, failpoint.RestoreFilled, failpoint.RestoreFinished}
)

// stepFaults kill nodes where nothing outside can aim at.
func stepFaults() []Fault {
	fault := func(name string, steps []string, modes []Mode, prepare func(r *Round, n *cluster.Node)) Fault {
		return Fault{Name: name, Modes: modes, Lasts: 3 * time.Second, LeastDuring: 10, Builds: []Build{FailPoints},
			Promise: "The node comes back to the same state as the others.",
			Inject:  func(r *Round) func() { return dieAt(r, steps[r.Random.IntN(len(steps))], prepare) }}
	}
	nothing := func(*Round, *cluster.Node) {}
	return []Fault{
		fault("killed at a step of an apply or a snapshot", applySteps, nil, nothing),
		fault("killed between Redis and its clients", cacheSteps, []Mode{MySQL}, nothing),
		fault("killed at a step of loading a snapshot", restoreSteps, nil, wantSnapshot),
	}
}

// dieAt restarts a node so that it dies when it passes the step for the first, second or third time, loads
// of snapshots for the first.
func dieAt(r *Round, step string, prepare func(r *Round, n *cluster.Node)) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	kill(r, n)
	prepare(r, n)
	n.Exchange(r.Builds[FailPoints])
	n.StartWith(fmt.Sprintf("FAILPOINT=%s:%d", step, 1))
	require.Equal(r.TB, -1, n.Wait(stepTimeout*r.Patience), "%s was not killed at %s", n.ID, step)
	n.Exchange(r.Program)
	return n.Start
}

// wantSnapshot takes the node's database away: only its newest snapshot has what the log has lost.
func wantSnapshot(r *Round, n *cluster.Node) {
	r.TB.Helper()
	n.Database.Drop()
	snapshots, err := filepath.Glob(filepath.Join(n.Dir, "snapshots", "*", "meta.json"))
	require.NoError(r.TB, err)
	require.NotEmpty(r.TB, snapshots, "%s has no snapshot to load", n.ID)
}
