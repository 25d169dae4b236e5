package chaos

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	// refusalTimeout bounds how long a node takes to see that what it was given is not its own.
	refusalTimeout = 10 * time.Second
	// meanwhile is how long the others write on without a node whose files are exchanged.
	meanwhile = time.Second
)

// directoryFaults are those of what lies on the nodes' disks: lost, or put back wrongly.
func directoryFaults() []Fault {
	return []Fault{
		{
			Name: "data directory of a voter emptied while another voter was behind", Lasts: 3 * time.Second,
			Promise: "It has no vote until the cluster has let it in again: nothing that it helped to acknowledge is elected away.",
			Inject:  emptyVoter,
		},
		{
			Name: "data directory of a node emptied", LeastDuring: 100,
			Promise: "It is let in again without a vote, is sent everything, and gets its vote back; the others go on.",
			Inject:  emptyNode,
		},
		{
			Name: "database put back from an older copy", LeastDuring: 100,
			Promise: "The node applies again what its database lacks; nothing is merged, nothing is done twice.",
			Inject:  putBackDatabase,
		},
		{
			Name: "data directory put back from an older copy, beside its newer database", LeastDuring: 100,
			Promise: "The node finds its database ahead of its log and builds it anew. What a voter forgot is safe only as long as the other nodes have it.",
			Inject:  putBackDirectory,
		},
		{
			Name:    "data directories of two nodes swapped",
			Promise: "Both refuse to start, and name the owner; nothing is changed.",
			Inject:  func(r *Round) func() { return swap(r, (*cluster.Node).SwapDir) },
		},
		{
			Name:    "databases of two nodes swapped",
			Promise: "Both refuse to start, and name the owner; nothing is changed.",
			Inject:  func(r *Round) func() { return swap(r, func(a, b *cluster.Node) { a.Database.Swap(b.Database) }) },
		},
	}
}

// emptyVoter has one voter acknowledge writes with the leader that the third one lacks, and then takes its
// memory and the leader away. With its vote the third one would lead without these writes.
func emptyVoter(r *Round) (heal func()) {
	r.TB.Helper()
	leader, followers := r.Leader(), r.Cluster.Followers()
	emptied, behind := followers[0], followers[1]
	kill(r, behind)
	r.Load.Await(r.TB, warmUpWrites, awaitTimeout)
	kill(r, leader, emptied)
	emptied.EmptyDir()
	behind.Start()
	emptied.Start()
	return func() {
		r.TB.Helper()
		for _, n := range []*cluster.Node{emptied, behind} {
			status, err := n.Client.Status(r.TB.Context())
			require.NoError(r.TB, err)
			require.NotEqual(r.TB, "leader", status.State, "%s leads with the vote of a node without a memory", n.ID)
		}
		leader.Start()
		r.QuorumIsBack()
	}
}

func emptyNode(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	kill(r, n)
	n.EmptyDir()
	r.Hold(meanwhile)
	n.Start()
	n.WaitReady()
	return func() {}
}

func putBackDatabase(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	stopFor(n, func() { n.Database.Save("older") })
	r.Hold(meanwhile)
	stopFor(n, func() { n.Database.PutBack("older") })
	return func() {}
}

func putBackDirectory(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	stopFor(n, func() { n.SaveDir("older") })
	r.Hold(meanwhile)
	stopFor(n, func() { n.PutBackDir("older") })
	return func() {}
}

// stopFor does something to a node that does not run, and waits until it is back.
func stopFor(n *cluster.Node, do func()) {
	n.Stop()
	do()
	n.Start()
	n.WaitReady()
}

// swap exchanges something between two nodes, and back again once both have refused it.
func swap(r *Round, exchange func(a, b *cluster.Node)) (heal func()) {
	r.TB.Helper()
	left := r.Node()
	others := slices.DeleteFunc(slices.Clone(r.Cluster.Nodes), func(n *cluster.Node) bool { return n == left })
	kill(r, others...)
	exchange(others[0], others[1])
	for i, n := range others {
		requireRefusal(r, n, others[1-i])
	}
	return func() {
		exchange(others[0], others[1])
		others[0].Start()
		r.QuorumIsBack()
		others[1].Start()
	}
}

// requireRefusal requires that a node ends because what it found belongs to another.
func requireRefusal(r *Round, n, owner *cluster.Node) {
	r.TB.Helper()
	said := len(n.Log())
	n.Start()
	require.NotZero(r.TB, n.Wait(refusalTimeout*r.Patience), "the exit code of %s", n.ID)
	require.Regexp(r.TB, fmt.Sprintf(`node \\?"?%s`, owner.ID), n.Log()[said:], "%s is to name the owner", n.ID)
}
