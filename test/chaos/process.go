package chaos

import (
	"os"
	"time"

	"versiond/test/cluster"
)

// processEndTimeout bounds how long the kernel takes to end a killed process.
const processEndTimeout = 10 * time.Second

// processFaults are those of the nodes' own processes.
func processFaults() []Fault {
	return []Fault{
		{
			Name: "kill -9 of the leader", Short: true, Lasts: 4 * time.Second, LeastDuring: 10,
			Promise: "The others elect a leader and go on; what the dead one had acknowledged is there.",
			Inject:  func(r *Round) func() { return kill(r, r.Leader()) },
		},
	}
}

// kill ends nodes at once: to wait for one after the other would give the rest time.
func kill(r *Round, nodes ...*cluster.Node) (heal func()) {
	r.TB.Helper()
	for _, n := range nodes {
		n.Signal(os.Kill)
	}
	for _, n := range nodes {
		n.Wait(processEndTimeout)
	}
	return r.Cluster.StartAll
}
