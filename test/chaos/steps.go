package chaos

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/failpoint"
	"versiond/test/harness/cluster"
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
		return Fault{Name: name, Modes: modes, Lasts: newLeaderWithin, LeastDuring: 10, WritesWithin: twoElections, Builds: []Build{FailPoints},
			Promise: "The node comes back to the same state as the others.",
			Inject:  func(r *Round) func() { return dieAt(r, steps[r.Random.IntN(len(steps))], prepare) }}
	}
	return []Fault{
		fault("killed at a step of an apply or a snapshot", applySteps, nil, func(r *Round, n *cluster.Node) { kill(r, n) }),
		fault("killed when Redis has some of a group", cacheSteps, []Mode{MySQL}, func(r *Round, n *cluster.Node) { kill(r, n) }),
		fault("killed at a step of loading a snapshot", restoreSteps, nil, killWantingSnapshot),
	}
}

// dieAt restarts a node, once prepare has killed it, so that it dies when it comes to the step.
func dieAt(r *Round, step string, prepare func(r *Round, n *cluster.Node)) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	prepare(r, n)
	n.Exchange(r.Builds[FailPoints])
	n.StartWith("FAILPOINT=" + step)
	cluster.Eventually(r.TB, stepTimeout*r.Patience, n.ID+" is to be killed at "+step, func() error {
		if !n.Running() {
			return nil
		}
		status, err := n.Client.Status(r.TB.Context())
		return fmt.Errorf("it runs: %+v, %v", status, err)
	})
	require.Equal(r.TB, -1, n.Wait(stepTimeout), "%s has ended before %s", n.ID, step)
	n.Exchange(r.Program)
	return n.Start
}

// killWantingSnapshot takes the node's database away too: only its newest snapshot has what its log has lost.
func killWantingSnapshot(r *Round, n *cluster.Node) {
	r.TB.Helper()
	n.AwaitSnapshot(stepTimeout * r.Patience)
	kill(r, n)
	n.Database.Drop()
}
