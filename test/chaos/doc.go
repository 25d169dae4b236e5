// Package chaos runs a cluster of real processes under load, disturbs it over and over, and proves after
// each disturbance that nothing acknowledged was lost or doubled, that every answer was right for its
// level, that histories hold just the writes and watchers saw them, and that all nodes, their stores and Redis are equal.
//
//	make chaos DURATION=30m MODE=both SEED=7
//
// A round is: load and recorded clients begin; the fault is injected, lasts, and is healed; the cluster
// becomes ready by itself; everything stops and is compared. docs/reliability.md says for each fault what
// must happen, and what the last long run found.
//
// # How to add a fault
//
// Write a file for its family with a function that returns its faults, and name that function in All. A
// Fault needs a name, a promise for the documentation, the fewest writes that must succeed while it
// lasts, and Inject, which disturbs the cluster and returns the function that heals it:
//
//	func diskFaults() []Fault {
//		return []Fault{{
//			Name: "disk full", Promise: "...", Modes: []Mode{Embedded}, Lasts: 3 * time.Second, LeastDuring: 20,
//			Inject: func(r *Round) func() {
//				node := r.Follower()
//				fill(r, node)
//				return func() { clear(r, node) }
//			},
//		}}
//	}
//
// Inject and heal run on the test's goroutine; what goes wrong in them ends the run (r.TB.Fatal, or
// require with r.TB). A fault that takes time by itself, such as leadership that moves every second, does
// that in Inject, with r.Hold between its steps. It picks nodes by r.Leader, r.Follower, r.Node and r.Random
// alone, so that a seed repeats a run. One that stops a quorum calls r.QuorumIsBack when it has healed
// that. After heal every node of the cluster must become ready by itself: what has to be started again,
// heal starts.
package chaos
