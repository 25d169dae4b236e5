package chaos

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/load/history"
)

// disturb has clients at work while the fault comes and goes, and stops them when the cluster is whole.
func (r *run) disturb(f Fault, round *Round) outcome {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	late := measureLateness(ctx)
	before, starts, files := r.load.Counts(), startsOf(r.cluster), logFiles(r.cluster)
	r.load.Resume()
	clients := history.Start(ctx, r.cluster.Clients(), history.Options{
		Prefix: fmt.Sprintf("history-%d", r.number), Keys: historyKeys, Workers: historyWorkers, Pause: historyPause, Settled: true,
		Levels: []model.Level{model.LevelLinearizable, model.LevelLinearizable, model.LevelLeader, model.LevelNone},
	})
	round.clients = clients
	round.latest = history.StartLatest(ctx, r.cluster.Clients(), fmt.Sprintf("latest-%d", r.number), f.WrongLists, latestAskers, latestPause)
	r.load.Await(r.t, warmUpWrites, awaitTimeout)

	began := r.load.Counts()
	heal := f.Inject(round)
	round.Hold(f.Lasts)
	o := outcome{during: r.load.Counts().Acknowledged - began.Acknowledged}
	healing := time.Now()
	heal()
	if round.quorumLost {
		o.back = r.load.AwaitMarked(r.t, awaitTimeout)
	}
	r.cluster.WaitReady()
	o.heal = time.Since(healing)
	r.load.Await(r.t, afterWrites, awaitTimeout)

	if o.gap, o.why = r.load.Counts().LongestGap, r.load.WhyGap(); round.gap > o.gap {
		o.gap, o.why = round.gap, round.why
	}
	r.startAnew(starts)
	r.report.logFiles += newFiles(files, logFiles(r.cluster))
	cancel()
	r.recorder, o.late = clients.Wait(), late.wait()
	latestWrites, answers, found := round.latest.Wait()
	r.ledger = r.load.Pause()
	r.writes = slices.Concat(r.ledger.TakeWrites(), r.recorder.Writes(), latestWrites)
	o.latest = answers
	r.violated(f, found)
	o.count(before, r.load.Counts(), r.recorder.Count())
	return o
}

func startsOf(c *cluster.Cluster) map[*cluster.Node]int {
	starts := map[*cluster.Node]int{}
	for _, n := range c.Nodes {
		starts[n] = n.Starts()
	}
	return starts
}

// logFiles returns the files of the Raft log of each node, by its id.
func logFiles(c *cluster.Cluster) map[string]map[string]bool {
	files := map[string]map[string]bool{}
	for _, n := range c.Nodes {
		files[n.ID] = n.LogFiles()
	}
	return files
}

// newFiles counts those that were begun and not compacted away, on the node with the fewest.
func newFiles(before, after map[string]map[string]bool) int {
	fewest := math.MaxInt
	for id, files := range after {
		count := 0
		for file := range files {
			if !before[id][file] {
				count++
			}
		}
		fewest = min(fewest, count)
	}
	return fewest
}

// startAnew starts each node that the fault has left running, one after the other and under load: whatever a node has
// written, it has to start on. Some are killed, and the others stopped.
func (r *run) startAnew(before map[*cluster.Node]int) {
	r.t.Helper()
	for _, i := range r.random.Perm(len(r.cluster.Nodes)) {
		n := r.cluster.Nodes[i]
		if n.Starts() != before[n] {
			continue
		}
		if r.random.IntN(2) == 0 {
			n.Signal(os.Kill)
			n.Wait(processEndTimeout)
		} else {
			n.Stop()
		}
		n.Start()
		r.cluster.WaitReady()
	}
}
