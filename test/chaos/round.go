package chaos

import (
	"math/rand/v2"
	"testing"
	"time"

	"versiond/test/harness/cluster"
	"versiond/test/load/history"
)

// Round is one injection of one fault, as the fault sees it. It belongs to the test's goroutine.
type Round struct {
	// TB is the test that the run is part of.
	TB testing.TB
	// Cluster has three listed nodes that are all ready when a round begins.
	Cluster *cluster.Cluster
	// Load writes to the cluster; a fault that adds or removes nodes tells it whom to ask.
	Load *cluster.Load
	// Mode is where the nodes keep their records.
	Mode Mode
	// Program is versiond, and Builds are those that the fault asked for.
	Program string
	Builds  map[Build]string
	// Random is the only source of chance that a fault may use.
	Random *rand.Rand
	// Patience multiplies the bounds on time that a fault has of its own.
	Patience time.Duration
	// Number counts the rounds of the run from 1.
	Number int

	clients    *history.Clients
	latest     *history.Latest
	gap        time.Duration // the longest one in writes before they were last paused
	why        string        // what there is to say of it
	quorumLost bool
}

// Node returns any of the listed nodes.
func (r *Round) Node() *cluster.Node { return r.Cluster.Nodes[r.Random.IntN(len(r.Cluster.Nodes))] }

// Leader waits for a leader and returns its node.
func (r *Round) Leader() *cluster.Node { r.TB.Helper(); return r.Cluster.Leader() }

// Follower returns one of those that do not lead.
func (r *Round) Follower() *cluster.Node {
	r.TB.Helper()
	followers := r.Cluster.Followers()
	return followers[r.Random.IntN(len(followers))]
}

// Hold lets time pass.
func (r *Round) Hold(d time.Duration) {
	r.TB.Helper()
	select {
	case <-time.After(d):
	case <-r.TB.Context().Done():
		r.TB.Fatal("the test ends while a fault lasts")
	}
}

// Idle does something while nobody writes; reads go on.
func (r *Round) Idle(do func()) {
	r.TB.Helper()
	r.Load.Pause()
	if gap := r.Load.Counts().LongestGap; gap > r.gap {
		r.gap, r.why = gap, r.Load.WhyGap()
	}
	r.clients.OnlyRead(true)
	r.latest.OnlyRead(true)
	do()
	r.latest.OnlyRead(false)
	r.clients.OnlyRead(false)
	r.Load.Resume()
}

// QuorumIsBack notes that from now on a quorum of the nodes runs and can talk, after a time in which none
// did: writes have to be taken again within the fault's WritesWithin.
func (r *Round) QuorumIsBack() {
	r.quorumLost = true
	r.Load.Mark()
}
