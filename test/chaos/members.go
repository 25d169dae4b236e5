package chaos

import (
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

const (
	// spareID names the node that is added and taken away again.
	spareID = "spare"
	// transfers is how often leadership moves, transferPause what lies between.
	transfers, transferPause = 8, time.Second
)

// memberFaults are no faults but what operators do, under load.
func memberFaults() []Fault {
	return []Fault{
		{
			Name: "a node added, one replaced, the first removed", LeastDuring: 300,
			Promise: "Writes go on; who comes in is sent everything, and who went has none of the say.",
			Inject:  changeMembers,
		},
		{
			Name: "leadership moved every second", LeastDuring: 200,
			Promise: "Writes wait for a moment; nothing is lost.",
			Inject:  moveLeadership,
		},
	}
}

// changeMembers grows the cluster by a node, has another machine take the place of one, and shrinks again.
func changeMembers(r *Round) (heal func()) {
	r.TB.Helper()
	spare := addSpare(r)
	replaced := r.Node()
	require.NoError(r.TB, spare.Client.Remove(r.TB.Context(), replaced.ID))
	kill(r, replaced)
	replaced.EmptyDir()
	r.Hold(meanwhile)
	replaced.Start()
	r.Cluster.WaitSuffrage(replaced.ID, model.SuffrageVoter)
	require.NoError(r.TB, r.Follower().Client.Remove(r.TB.Context(), spare.ID))
	r.Cluster.Retire(spare)
	return func() { r.Load.Use(r.Cluster.Clients()) }
}

// addSpare adds a node that clients use too.
func addSpare(r *Round) *cluster.Node {
	r.TB.Helper()
	spare := r.Cluster.AddNode(spareID, "--join", r.Follower().Address)
	spare.Start()
	r.Cluster.WaitSuffrage(spare.ID, model.SuffrageVoter)
	spare.WaitReady()
	r.Load.Use(r.Cluster.Clients())
	return spare
}

// moveLeadership asks any node to hand it to any other. One that does not come about moves nothing, which
// must be rare.
func moveLeadership(r *Round) (heal func()) {
	r.TB.Helper()
	var moved int
	for range transfers {
		to := r.Follower()
		if _, err := r.Node().Client.Transfer(r.TB.Context(), to.ID); err == nil {
			moved++
		}
		r.Hold(transferPause)
	}
	require.Greater(r.TB, moved, transfers/2, "leadership hardly moved")
	return func() {}
}
