package chaos

import (
	"time"

	"versiond/test/harness/cluster"
	"versiond/test/harness/disk"
)

// smallDisk has room for what a run writes, the 200,000 changes that are kept too, and is filled in a moment.
const smallDisk = 768 << 20

// diskFaults are those of the disk that a node's data directory is on.
func diskFaults() []Fault {
	return []Fault{
		{
			Name: "disk of the leader full", Short: true, Lasts: 6 * time.Second, LeastDuring: 30,
			Promise: "It gives up the lead within seconds and says in /readyz what to do; the others go on, and when there is room it catches up by itself.",
			Inject: func(r *Round) func() {
				n := r.Leader()
				small := onSmallDisk(r, n)
				_, _ = n.Client.Transfer(r.TB.Context(), n.ID) // its disk is the one that could matter most
				return fill(r, small)
			},
		},
		{
			Name: "disk of a follower full", Lasts: 6 * time.Second, LeastDuring: 50, WritesWithin: unnoticed,
			Promise: "The others go on without a pause; its clients are served by the leader.",
			Inject:  func(r *Round) func() { return fill(r, onSmallDisk(r, r.Follower())) },
		},
		{
			Name: "disk of a node full at its start", Lasts: 3 * time.Second, LeastDuring: 30,
			Promise: "It ends with a line that says that the disk is full, or runs and says so in /readyz; the others go on.",
			Inject:  startOnFullDisk,
		},
	}
}

// onSmallDisk restarts a node with its data directory on a disk of its own that can be filled. It stays
// there until the run ends.
func onSmallDisk(r *Round, n *cluster.Node) *disk.Disk {
	r.TB.Helper()
	n.Stop()
	small := disk.Must(r.TB, n.Dir, smallDisk)
	n.Start()
	r.Cluster.WaitReady()
	return small
}

func fill(r *Round, small *disk.Disk) (heal func()) {
	r.TB.Helper()
	small.Fill(r.TB)
	r.Cluster.FillLog(r.TB, segmentBytes)
	return func() { small.Clear(r.TB) }
}

func startOnFullDisk(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	small := onSmallDisk(r, n)
	n.Kill()
	small.Fill(r.TB)
	n.Start()
	return func() {
		small.Clear(r.TB)
		if !n.Running() { // there was a file that it could not do without
			n.Start()
		}
	}
}
