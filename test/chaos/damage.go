package chaos

import (
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// damageFaults are of files of which a disk gives back something else than it was given.
func damageFaults() []Fault {
	fault := func(name string, damage func(r *Round, n *cluster.Node)) Fault {
		return Fault{Name: name, Lasts: newLeaderWithin, LeastDuring: 10, WritesWithin: twoElections,
			Promise: "The node serves nothing wrong: it ends and says to empty its data directory, or is sent what it needs; emptied, it comes back by itself.",
			Inject:  func(r *Round) func() { return damageNode(r, damage) }}
	}
	return []Fault{
		fault("snapshots of a node damaged, and its database lost", damageSnapshots),
		fault("Raft log of a node cut short", func(r *Round, n *cluster.Node) { damageLog(r, n, cutShort) }),
		fault("Raft log of a node with flipped bits", func(r *Round, n *cluster.Node) { damageLog(r, n, flipBits) }),
	}
}

// damageNode starts a node on files that damage has left to it. It ends and says what to do, which is then
// done, or becomes ready.
func damageNode(r *Round, damage func(r *Round, n *cluster.Node)) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	damage(r, n)
	said := len(n.Log())
	n.Start()
	if !endsUnlessReady(r, n) {
		return func() {}
	}
	require.Contains(r.TB, n.Log()[said:], model.RejoinAdvice, "how %s ended", n.ID)
	return func() {
		n.EmptyDir()
		n.Start()
	}
}

// endsUnlessReady waits until a node has ended or is ready, and reports whether it has ended.
func endsUnlessReady(r *Round, n *cluster.Node) (ended bool) {
	r.TB.Helper()
	cluster.Eventually(r.TB, awaitTimeout*r.Patience, n.ID+" is to end or to be ready", func() error {
		if ended = !n.Running(); ended {
			return nil
		}
		return n.Client.Ready(r.TB.Context())
	})
	return ended
}

func damageSnapshots(r *Round, n *cluster.Node) {
	r.TB.Helper()
	killWantingSnapshot(r, n)
	for _, file := range n.Snapshots("state.bin") {
		if r.Random.IntN(2) == 0 {
			cutShort(r, file)
		} else {
			flipBits(r, file)
		}
	}
}

// damageLog damages one of the files that the node's log, term and vote are in.
func damageLog(r *Round, n *cluster.Node, damage func(r *Round, path string)) {
	r.TB.Helper()
	kill(r, n)
	var files []string
	for _, pattern := range []string{"raft.db", filepath.Join("log", "*")} {
		found, err := filepath.Glob(filepath.Join(n.Dir, pattern))
		require.NoError(r.TB, err)
		files = append(files, found...)
	}
	require.Greater(r.TB, len(files), 1, "no log in %s", n.Dir)
	damage(r, files[r.Random.IntN(len(files))])
}

// cutShort leaves some of a file, as a machine may that loses power.
func cutShort(r *Round, path string) {
	r.TB.Helper()
	info, err := os.Stat(path)
	require.NoError(r.TB, err)
	require.NoError(r.TB, os.Truncate(path, r.Random.Int64N(max(1, info.Size())))) // one that was just begun is empty
}

// flipBits changes a bit in every 4 KiB of a file, somewhere.
func flipBits(r *Round, path string) {
	r.TB.Helper()
	const every = 4 << 10
	content, err := os.ReadFile(path)
	require.NoError(r.TB, err)
	for at := 0; at < len(content); at += every {
		content[at+r.Random.IntN(min(every, len(content)-at))] ^= 1 << r.Random.IntN(8)
	}
	require.NoError(r.TB, os.WriteFile(path, content, 0o600))
}
