package chaos

import (
	"regexp"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// clockFaults are those of a node's wall clock.
func clockFaults() []Fault {
	return []Fault{{
		Name: "clock of one node an hour off, jumping", Lasts: 8 * time.Second, LeastDuring: 100, Builds: []Build{WildClock},
		Promise: "Nothing: no outcome, lease or timeout depends on the time of day.",
		Inject:  wildClock,
	}}
}

// wildClock restarts a node with a program whose wall clock is an hour ahead and an hour behind by turns.
func wildClock(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	if r.Random.IntN(2) == 0 {
		n = r.Leader()
	}
	restart := func(program string) {
		n.Stop()
		n.Exchange(program)
		n.Start()
	}
	restart(r.Builds[WildClock])
	n.WaitReady()
	requireWild(r, n)
	_, _ = n.Client.Transfer(r.TB.Context(), n.ID) // it is the leader whose time could matter most; another one is not wrong
	return func() { restart(r.Program) }
}

var logTime = regexp.MustCompile(`time=(\S+) `)

// requireWild requires that the newest line of the node's log is far from our time: the fault would
// otherwise disturb nothing.
func requireWild(r *Round, n *cluster.Node) {
	r.TB.Helper()
	lines := logTime.FindAllStringSubmatch(n.Log(), -1)
	require.NotEmpty(r.TB, lines)
	logged, err := time.Parse(time.RFC3339, lines[len(lines)-1][1])
	require.NoError(r.TB, err)
	require.Greater(r.TB, time.Since(logged).Abs(), 30*time.Minute, "the node's clock is right")
}
