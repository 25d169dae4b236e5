package chaos

import (
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
	"versiond/test/load/crowd"
)

const (
	idleClients = 5000
	slowClients = 50 // of each kind
	// floodClients write at once: more than ten times what may wait and be on its way in the time that a
	// leader takes to be missed.
	floodClients = 3000
	floodWaves   = 2
	// memoryMax is what a node may use beyond what it used before, whatever its clients do.
	memoryMax = 384 << 20
)

// overloadFaults are clients that ask for more than there is, beside those of the load.
func overloadFaults() []Fault {
	return []Fault{
		{
			Name: "5,000 idle connections, 300 clients that send a byte a second or read nothing", Lasts: 4 * time.Second, LeastDuring: 300,
			Promise: "The others are served as before; memory stays flat.",
			Inject:  crowdOneNode,
		},
		{
			Name: "3,000 writes at once while the leader stands still", WritesWithin: 10 * time.Second,
			Promise: "What is too much gets 429 at once, and was not done; memory stays flat.",
			Inject:  floodOneNode,
		},
	}
}

func crowdOneNode(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	before := n.ResidentBytes()
	unwanted := crowd.New(r.TB)
	r.TB.Cleanup(unwanted.Close) // also when the round ends early
	unwanted.Idle(n, idleClients)
	unwanted.Slow(n, slowClients)
	return func() {
		requireFlat(r, n, before)
		unwanted.Close()
	}
}

// floodOneNode has a follower take what it cannot pass on.
func floodOneNode(r *Round) (heal func()) {
	r.TB.Helper()
	for range floodWaves {
		leader, n := r.Leader(), r.Follower()
		before := n.ResidentBytes()
		leader.Pause()
		answers := crowd.Flood(r.TB, n, floodClients)
		leader.Resume()
		answers.Require(r.TB)
		requireFlat(r, n, before)
	}
	return func() {}
}

func requireFlat(r *Round, n *cluster.Node, before int64) {
	r.TB.Helper()
	require.Less(r.TB, n.ResidentBytes()-before, int64(memoryMax), "bytes that %s has taken", n.ID)
}
