package system_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	crashRounds  = 3
	crashWorkers = 12
	// crashWrites is how many writes each round has acknowledged before the power goes.
	crashWrites = 400
)

// Everything that was acknowledged survives kill -9 of every node at once, and nothing is done twice.
// If this fails, versiond loses or doubles records, which nothing else can make up for.
//
// ROUNDS=20 makes it kill 20 times.
func TestAllNodesKilledUnderLoad(t *testing.T) {
	onAll(t, func(t *testing.T, m mode) {
		// Small limits make the rounds meet snapshots and truncated logs as well.
		c := cluster.Start(t, m.config("VERSIOND_RAFT_SNAPSHOTTHRESHOLD=64", "VERSIOND_RAFT_TRAILINGLOGS=32", "VERSIOND_RAFT_SNAPSHOTINTERVAL=1s"))
		load := cluster.StartLoad(t, c, "crash", crashWorkers)
		for range rounds(t) {
			load.Await(t, crashWrites, 30*time.Second)
			for _, n := range c.Nodes {
				n.Signal(os.Kill) // all at once: waiting for each would give the others time
			}
			for _, n := range c.Nodes {
				n.Wait(5 * time.Second)
			}
			c.StartAll()
		}
		load.Await(t, crashWrites, 30*time.Second)
		ledger := load.Stop()
		c.WaitReady()
		rows := c.RequireEqualStores()
		t.Logf("%d rounds: %d writes acknowledged, %d of unknown outcome, %d refused; %d records", rounds(t), ledger.Acknowledged, ledger.Unknown, ledger.Refused, len(rows))
		require.Empty(t, ledger.Violations(rows))
		require.Positive(t, ledger.Unknown, "no kill met a write on its way: the test tested nothing")
	})
}

func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ROUNDS")
	if text == "" {
		return crashRounds
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "ROUNDS")
	return n
}

// Leaders that die one after the other, and a node that only freezes, lose and double nothing either.
// If this fails, a failover costs records, or a leader that wakes up after it was replaced does harm.
func TestLeaderKilledAndFrozenUnderLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		load := cluster.StartLoad(t, c, "failover", crashWorkers)
		load.Await(t, crashWrites, 30*time.Second)

		leader := c.Leader()
		leader.Kill()
		load.Await(t, crashWrites, 30*time.Second)
		leader.Start()
		c.WaitReady()

		leader = c.Leader()
		leader.Pause()
		time.Sleep(4 * time.Second) // long enough for the others to elect another
		leader.Resume()
		load.Await(t, crashWrites, 30*time.Second)

		ledger := load.Stop()
		c.WaitReady()
		rows := c.RequireEqualStores()
		t.Logf("%d writes acknowledged, %d of unknown outcome, %d refused; %d records", ledger.Acknowledged, ledger.Unknown, ledger.Refused, len(rows))
		require.Empty(t, ledger.Violations(rows))
	})
}
