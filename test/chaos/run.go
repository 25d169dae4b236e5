package chaos

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
	"versiond/test/load/history"
)

const (
	loadPrefix  = "load"
	loadWorkers = 15
	loadRecords = 30 // of each worker
	loadPause   = 30 * time.Millisecond
	// Each batch has about a third of a MiB.
	loadBatchers   = 2
	loadBatchPause = 600 * time.Millisecond
	// segmentBytes is what one file of the log has.
	segmentBytes = 256 << 10
	// filesPerRound is how many new files of the log each round has to leave on each node, on average. It goes through
	// several more, which snapshots let go of.
	filesPerRound = 1

	historyKeys    = 8
	historyWorkers = 6
	historyPause   = 20 * time.Millisecond

	latestAskers = 6
	latestPause  = 40 * time.Millisecond

	// historyCheckTimeout is for each key. One that takes longer is a failure: it proves nothing.
	historyCheckTimeout = time.Minute

	// warmUpWrites are acknowledged before a fault begins, afterWrites once it is healed.
	warmUpWrites, afterWrites = 60, 60
	awaitTimeout              = 60 * time.Second

	defaultWritesWithin = 5 * time.Second
	// unnoticed bounds the pause in writes of faults that the other nodes are to go on without one in.
	unnoticed = time.Second
	// newLeaderWithin is how long faults last that may take the leader away: some writes have to be
	// acknowledged meanwhile, which may begin as late as is promised.
	newLeaderWithin = defaultWritesWithin + time.Second
	// twoElections are what it may take where a node is killed, may be elected when it starts again, and then
	// ends once more.
	twoElections = 2 * defaultWritesWithin
	// rareOnceIn is how many passes through all faults go by for each injection of a rare one.
	rareOnceIn = 4
)

// small limits make the rounds meet snapshots, truncated logs and several files of them as well.
var nodeEnv = []string{
	"VERSIOND_RAFT_SNAPSHOTTHRESHOLD=500", "VERSIOND_RAFT_TRAILINGLOGS=100", "VERSIOND_RAFT_SNAPSHOTINTERVAL=2s",
	fmt.Sprintf("VERSIOND_RAFT_SEGMENTBYTES=%d", segmentBytes),
}

// watched are the prefixes and platforms that watchers follow.
var watched = [][2]string{{"", ""}, {loadPrefix + "-1", ""}, {"", "linux"}, {loadPrefix, "darwin"}, {"history", ""}, {loadPrefix + "-3-00001", ""}}

// Options say what a run does.
type Options struct {
	// Program is the path that cluster.Build gave.
	Program string
	// Builds are what MakeBuilds gave for these Faults.
	Builds map[Build]string
	Mode   Mode
	// Faults are injected in an order that Seed decides, each once at least, and further ones until
	// Duration is over.
	Faults   []Fault
	Duration time.Duration
	Seed     uint64
	// Patience multiplies every bound on time, on machines or with programs that are slow; 1 when 0.
	Patience time.Duration
}

// Run disturbs a cluster of its own and gives what came of it, also when the test fails in its middle:
// the test ends with the first round that breaks a promise, and prints where all that could explain it
// is kept.
func Run(t *testing.T, options Options) *Report {
	t.Helper()
	r := newRun(t, options)
	defer r.keepEvidence()
	deadline := time.Now().Add(options.Duration)
	for pass := 0; pass == 0 || time.Now().Before(deadline); pass++ {
		for _, f := range r.order(pass) {
			if pass == 0 || time.Now().Before(deadline) {
				r.round(f)
			}
		}
	}
	if options.Duration > 0 {
		require.GreaterOrEqual(t, r.report.logFiles, filesPerRound*r.number, "files of the Raft log that the load has filled")
	}
	r.requireSameChanges()
	r.finished, r.report.took = true, time.Since(r.report.began)
	return r.report
}

// run is one run on one cluster.
type run struct {
	t        *testing.T
	options  Options
	random   *rand.Rand
	cluster  *cluster.Cluster
	load     *cluster.Load
	watchers *cluster.Watchers
	ledger   *cluster.Ledger // may be read while the load pauses
	past     *history.Past
	report   *Report
	number   int
	recorder *history.Recorder // of the newest round
	writes   []*cluster.Write  // likewise
	finished bool
}

func newRun(t *testing.T, options Options) *run {
	t.Helper()
	options.Patience = max(options.Patience, 1)
	t.Logf("SEED=%d MODE=%s: %d faults, for %s at least", options.Seed, options.Mode, len(options.Faults), options.Duration)
	r := &run{t: t, options: options, random: rand.New(rand.NewPCG(options.Seed, 0)), past: history.NewPast(), report: newReport(options)}
	config := cluster.Config{Program: options.Program, Env: nodeEnv, OwnMachines: true, KeepFailed: true}
	if options.Mode == MySQL {
		config.Shared, config.PerNode = &servers.Shared{}, true
		t.Cleanup(func() { _ = config.Shared.Close() })
	}
	r.cluster = cluster.Start(t, config)
	r.load = cluster.StartLoadWith(t, r.cluster, cluster.LoadOptions{Prefix: loadPrefix, Workers: loadWorkers, Records: loadRecords, Pause: loadPause, Settled: true,
		Batchers: loadBatchers, BatchPause: loadBatchPause})
	r.ledger = r.load.Pause()
	r.watchers = cluster.StartWatchers(t, r.cluster.Clients(), watched...)
	return r
}

// order returns the faults of one pass.
func (r *run) order(pass int) []Fault {
	var faults []Fault
	for _, f := range r.options.Faults {
		if !f.Rare || pass == 0 || r.random.IntN(rareOnceIn) == 0 {
			faults = append(faults, slices.Repeat([]Fault{f}, max(1, f.Times))...)
		}
	}
	r.random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	return faults
}

// round injects one fault, heals it, and checks everything.
func (r *run) round(f Fault) {
	r.t.Helper()
	r.number++
	round := &Round{TB: r.t, Cluster: r.cluster, Load: r.load, Mode: r.options.Mode,
		Program: r.options.Program, Builds: r.options.Builds, Random: r.random, Patience: r.options.Patience, Number: r.number}
	o := r.disturb(f, round)
	r.check(f, &o)
	r.report.add(f, o)
	r.t.Logf("round %d: %s: %s", r.number, f.Name, o)
}

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
	round.latest = history.StartLatest(ctx, r.cluster.Clients(), fmt.Sprintf("latest-%d", r.number), latestAskers, latestPause)
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

// check ends the test unless everything is as it must be.
func (r *run) check(f Fault, o *outcome) {
	r.t.Helper()
	rows := r.cluster.RequireEqualStores()
	r.cluster.RequireLocal(rows)
	o.watched, o.gone = r.watchers.RequireAllSeen(r.t, r.cluster.Nodes[0].Database)
	r.violated(f, r.ledger.Violations(withPrefix(rows, loadPrefix)))
	o.changes = r.checkChanges(f)
	wrong, undecided := r.recorder.Check(historyCheckTimeout * r.options.Patience)
	stale := r.recorder.CheckWeak()
	r.report.violated(f, slices.Repeat([]cluster.Kind{cluster.Stale}, len(stale)+len(wrong))...)
	require.Empty(r.t, wrong, "round %d: %s: no single store can explain what was answered for these records", r.number, f.Name)
	require.Empty(r.t, undecided, "round %d: %s: the checker did not come to an end", r.number, f.Name)
	require.Empty(r.t, stale, "round %d: %s: answers older than their labels", r.number, f.Name)
	require.NotContains(r.t, []int{o.changes, o.watched, o.latest}, 0, "round %d: %s: changes, those that watchers saw, answers to questions for the newest: none prove nothing", r.number, f.Name)
	require.GreaterOrEqual(r.t, o.during, f.LeastDuring, "round %d: %s: writes acknowledged while it lasted; timers were up to %s late; of the longest gap: %s", r.number, f.Name, o.late, o.why)
	require.LessOrEqual(r.t, o.withoutWrites(), r.within(f, o.late), "round %d: %s: %s; timers were up to %s late; of the longest gap: %s",
		r.number, f.Name, o.whichTime(), o.late, o.why)
	if r.t.Failed() {
		r.t.FailNow()
	}
}

// violated reports what must not have happened, unless it is nothing.
func (r *run) violated(f Fault, violations []cluster.Violation) {
	r.t.Helper()
	for _, v := range violations {
		r.report.violated(f, v.Kind)
	}
	if len(violations) == 0 {
		return
	}
	text := fmt.Sprintf("round %d: %s: %d violations, the first of them:", r.number, f.Name, len(violations))
	for _, v := range violations[:min(5, len(violations))] {
		text += "\n" + v.String()
	}
	r.t.Error(text)
}

// within bounds the time without a write, on a machine that was so late.
func (r *run) within(f Fault, late time.Duration) time.Duration {
	within := f.WritesWithin
	if within == 0 {
		within = defaultWritesWithin
	}
	return within*r.options.Patience + latenessTimes*late
}

func withPrefix(rows []model.Version, prefix string) []model.Version {
	var kept []model.Version
	for _, row := range rows {
		if strings.HasPrefix(row.ID, prefix) {
			kept = append(kept, row)
		}
	}
	return kept
}

// keepEvidence writes what the clients saw beside the nodes' data and logs when the run did not end well.
func (r *run) keepEvidence() {
	if r.finished && !r.t.Failed() {
		return
	}
	dir := r.cluster.Dir()
	if r.recorder != nil {
		if err := r.recorder.Save(dir); err != nil {
			r.t.Log(err)
		}
	}
	fmt.Fprintf(os.Stdout, "%s\nround %d of SEED=%d MODE=%s failed; data, logs and history are in %s\n", r.report, r.number, r.options.Seed, r.options.Mode, dir)
}
