package chaos

import (
	"time"

	"versiond/test/harness/cluster"
	"versiond/test/harness/network"
)

// networkFaults are those between the nodes. Clients and servers reach every node all the time. Those that
// leave some packets through come more often than others: what goes wrong then does so by chance.
func networkFaults() []Fault {
	return []Fault{
		{
			Name: "leader cut off from the others", Short: true, Lasts: newLeaderWithin, LeastDuring: 10,
			Promise: "Its clients get 503 or 504 for writes and no stale answer to a linearizable read; the others elect a leader and go on.",
			Inject:  func(r *Round) func() { return isolate(r, r.Leader(), network.Link{Down: true}) },
		},
		{
			Name: "follower cut off from the others", Lasts: 4 * time.Second, LeastDuring: 60, WritesWithin: unnoticed,
			Promise: "The others go on without a pause, and it catches up by itself.",
			Inject:  func(r *Round) func() { return isolate(r, r.Follower(), network.Link{Down: true}) },
		},
		{
			Name: "leader heard by nobody, one way", Times: 2, Lasts: newLeaderWithin, LeastDuring: 10,
			Promise: "A leader that hears the others and is not heard loses the lead; the others go on.",
			Inject:  func(r *Round) func() { return oneWay(r, r.Leader(), false) },
		},
		{
			Name: "leader deaf, one way", Times: 2, Lasts: newLeaderWithin, LeastDuring: 10,
			Promise: "A leader that is heard and hears nobody gives up the lead by itself; the others go on.",
			Inject:  func(r *Round) func() { return oneWay(r, r.Leader(), true) },
		},
		{
			Name: "leader and one follower cut from each other", Lasts: newLeaderWithin, LeastDuring: 10,
			Promise: "The third node sees both; whoever leads has a quorum, and the cut-off one takes the lead from nobody for long.",
			Inject: func(r *Round) func() {
				r.Cluster.Network.SetBoth(r.Leader().Machine, r.Follower().Machine, network.Link{Down: true})
				return r.Cluster.Network.Heal
			},
		},
		{
			Name: "20 % of all packets lost", Times: 2, Lasts: 5 * time.Second, LeastDuring: 1, WritesWithin: 15 * time.Second,
			Promise: "Slower; elections may happen; nothing is lost and nothing is wrong.",
			Inject:  func(r *Round) func() { return everywhere(r, network.Link{Loss: 0.2}) },
		},
		{
			Name: "200 ms between all nodes", Times: 2, Lasts: 5 * time.Second, LeastDuring: 5, WritesWithin: 15 * time.Second,
			Promise: "A write takes two ways more; nothing is lost and nothing is wrong.",
			Inject:  func(r *Round) func() { return everywhere(r, network.Link{Delay: 200 * time.Millisecond}) },
		},
		{
			Name: "half of the packets of one node lost, on and off", Times: 3, Lasts: 0, LeastDuring: 1, WritesWithin: 15 * time.Second,
			Promise: "Leaders may change again and again; afterwards logs and stores are equal.",
			Inject:  flap,
		},
	}
}

func isolate(r *Round, n *cluster.Node, link network.Link) (heal func()) {
	r.Cluster.Network.Isolate(n.Machine, link)
	return r.Cluster.Network.Heal
}

func everywhere(r *Round, link network.Link) (heal func()) {
	r.Cluster.Network.SetAll(link)
	return r.Cluster.Network.Heal
}

// oneWay cuts what a node sends, or what it is sent.
func oneWay(r *Round, n *cluster.Node, deaf bool) (heal func()) {
	for _, other := range r.Cluster.Nodes {
		switch {
		case other == n:
		case deaf:
			r.Cluster.Network.Set(other.Machine, n.Machine, network.Link{Down: true})
		default:
			r.Cluster.Network.Set(n.Machine, other.Machine, network.Link{Down: true})
		}
	}
	return r.Cluster.Network.Heal
}

// flap loses half of the packets of a node for a moment, and heals that, several times: of whoever leads
// half of the times.
func flap(r *Round) (heal func()) {
	for range 4 {
		n := r.Node()
		if r.Random.IntN(2) == 0 {
			n = r.Leader()
		}
		isolate(r, n, network.Link{Loss: 0.5})
		r.Hold(time.Duration(500+r.Random.IntN(1500)) * time.Millisecond)
		r.Cluster.Network.Heal()
		r.Hold(time.Duration(r.Random.IntN(1000)) * time.Millisecond)
	}
	return r.Cluster.Network.Heal
}
