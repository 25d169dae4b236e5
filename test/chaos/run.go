package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
	"versiond/test/load/history"
)

const (
	loadPrefix  = "load"
	loadWorkers = 15
	loadRecords = 30 // of each worker
	loadPause   = 30 * time.Millisecond
	// The batches fill the files of the log. Larger ones would fill the tables of changes as well, which every round reads and
	// every rebuild writes.
	loadBatchers   = 2
	loadBatchMax   = 140
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

// Options set what a run does.
type Options struct {
	// Program is the path that cluster.Build returned.
	Program string
	// Builds are what MakeBuilds returned for these Faults.
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

// Run disturbs a cluster of its own and returns what came of it, also when the test fails in its middle:
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
		Batchers: loadBatchers, BatchMax: loadBatchMax, BatchPause: loadBatchPause})
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
