package chaos

import (
	"os"
	"time"

	"versiond/test/harness/cluster"
)

// processEndTimeout bounds how long the kernel takes to end a killed process.
const processEndTimeout = 10 * time.Second

// processFaults are those of the nodes' own processes.
func processFaults() []Fault {
	return []Fault{
		{
			Name: "kill -9 of the leader", Lasts: newLeaderWithin, LeastDuring: 10,
			Promise: "The others elect a leader and go on; what the dead one had acknowledged is there.",
			Inject:  func(r *Round) func() { return kill(r, r.Leader()) },
		},
		{
			Name: "kill -9 of a follower", Lasts: 3 * time.Second, LeastDuring: 50, WritesWithin: unnoticed,
			Promise: "The others go on without a pause, and it catches up when it is started.",
			Inject:  func(r *Round) func() { return kill(r, r.Follower()) },
		},
		{
			Name: "kill -9 of two nodes", Lasts: 2 * time.Second,
			Promise: "Writes are refused, in words that promise that nothing was done, until one of the two is back; level=none reads go on.",
			Inject:  killTwo,
		},
		{
			Name: "kill -9 of all nodes", Short: true, Lasts: time.Second,
			Promise: "Everything acknowledged is there when two of them are back, and nothing was done twice.",
			Inject:  killAll,
		},
		{
			Name: "leader frozen for 5 s", Short: true, Lasts: 5 * time.Second,
			Promise: "The others elect a leader; when the old one wakes it answers nothing from before as if it were now.",
			Inject:  func(r *Round) func() { return freeze(r, r.Leader()) },
		},
		{
			Name: "leader frozen for 30 s", Rare: true, Lasts: 30 * time.Second, LeastDuring: 100,
			Promise: "The same, however long it lasts.",
			Inject:  func(r *Round) func() { return freeze(r, r.Leader()) },
		},
		{
			Name: "follower frozen for 5 s", Lasts: 5 * time.Second, LeastDuring: 50, WritesWithin: unnoticed,
			Promise: "The others go on without a pause.",
			Inject:  func(r *Round) func() { return freeze(r, r.Follower()) },
		},
	}
}

// killTwo leaves one node, any of the three, and starts the other two one after the other.
func killTwo(r *Round) (heal func()) {
	r.TB.Helper()
	left := r.Node()
	var dead []*cluster.Node
	for _, n := range r.Cluster.Nodes {
		if n != left {
			dead = append(dead, n)
		}
	}
	kill(r, dead...)
	return func() {
		dead[0].Start()
		r.QuorumIsBack()
		dead[1].Start()
	}
}

// killAll starts the nodes in any order.
func killAll(r *Round) (heal func()) {
	r.TB.Helper()
	kill(r, r.Cluster.Nodes...)
	return func() {
		order := r.Random.Perm(len(r.Cluster.Nodes))
		for started, i := range order {
			r.Cluster.Nodes[i].Start()
			if started+1 == len(order)/2+1 {
				r.QuorumIsBack()
			}
		}
	}
}

// freeze stops a process where it is: its connections stay open, and it does not know that time goes by.
func freeze(r *Round, n *cluster.Node) (heal func()) {
	r.TB.Helper()
	n.Pause()
	return n.Resume
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
