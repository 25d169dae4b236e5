package chaos

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	// roundTripDelay makes a transaction of some milliseconds take half a second.
	roundTripDelay = 100 * time.Millisecond
	// storeSilence is longer than a node takes to miss its database and to hand over because of it.
	storeSilence = 5 * time.Second
)

// storeFaults are those of the nodes' MySQL servers, of which each node has one.
func storeFaults() []Fault {
	const handsOver = "It hands over within 5 seconds, says that its store does not answer, and catches up by itself; writes go on."
	leaders := func(name, promise string, fault storeFault) Fault {
		return Fault{Name: name, Promise: promise, Modes: []Mode{MySQL}, Lasts: storeSilence, LeastDuring: 20,
			Inject: func(r *Round) func() { return breakLeadersStore(r, fault) }}
	}
	return []Fault{
		leaders("MySQL of the leader stopped", handsOver, stopped),
		leaders("MySQL of the leader frozen", handsOver, frozen),
		leaders("MySQL of the leader refuses connections", handsOver, refusing),
		leaders("MySQL of the leader 100 times slower", "It hands over to a node whose MySQL is not; writes go on.", slow),
		{
			Name: "MySQL of a follower stopped", Modes: []Mode{MySQL}, Lasts: storeSilence, LeastDuring: 300, WritesWithin: unnoticed,
			Promise: "Clients see nothing: the node passes reads and writes to the leader. It catches up by itself.",
			Inject:  func(r *Round) func() { return breakStore(r, r.Follower(), stopped) },
		},
		{
			Name: "MySQL of a follower stopped for a minute", Rare: true, Modes: []Mode{MySQL}, Lasts: time.Minute, LeastDuring: 3000, WritesWithin: unnoticed,
			Promise: "The same, however long it lasts.",
			Inject:  func(r *Round) func() { return breakStore(r, r.Follower(), stopped) },
		},
		{
			Name: "MySQL of all nodes stopped", Modes: []Mode{MySQL}, Lasts: storeSilence,
			Promise: "The leader stays. Writes get 503 with the reason, those on their way 504; they are taken again within 5 seconds of its return.",
			Inject:  stopEveryStore,
		},
		{
			Name: "MySQL of all nodes stopped for 30 s", Rare: true, Modes: []Mode{MySQL}, Lasts: 30 * time.Second,
			Promise: "The same, however long it lasts.",
			Inject:  stopEveryStore,
		},
	}
}

// storeFault is something that happens to the MySQL server of one node.
type storeFault struct {
	begin, end func(l *cluster.Lines) error
	// silent servers answer nothing.
	silent bool
}

var (
	stopped  = storeFault{func(l *cluster.Lines) error { return l.Server.Kill() }, func(l *cluster.Lines) error { return l.Server.Start() }, true}
	frozen   = storeFault{func(l *cluster.Lines) error { return l.Server.Pause() }, func(l *cluster.Lines) error { return l.Server.Resume() }, true}
	refusing = storeFault{func(l *cluster.Lines) error { return l.MySQL.Refuse() }, func(l *cluster.Lines) error { return l.MySQL.Heal() }, true}
	slow     = storeFault{func(l *cluster.Lines) error { l.MySQL.Slow(roundTripDelay); return nil }, func(l *cluster.Lines) error { return l.MySQL.Heal() }, false}
)

// breakLeadersStore waits until another node leads.
func breakLeadersStore(r *Round, fault storeFault) (heal func()) {
	r.TB.Helper()
	n := r.Leader()
	heal = breakStore(r, n, fault)
	requireLeadershipLeaves(r, n)
	return heal
}

func requireLeadershipLeaves(r *Round, n *cluster.Node) {
	r.TB.Helper()
	cluster.Eventually(r.TB, defaultWritesWithin*r.Patience, "leadership is to move away from "+n.ID, func() error {
		if leader := r.Leader(); leader == n {
			return fmt.Errorf("it still leads")
		}
		return nil
	})
}

func breakStore(r *Round, n *cluster.Node, fault storeFault) (heal func()) {
	r.TB.Helper()
	require.NoError(r.TB, fault.begin(n.Lines))
	return func() {
		r.TB.Helper()
		if fault.silent {
			requireBlamesStore(r, n)
		}
		require.NoError(r.TB, fault.end(n.Lines))
	}
}

// requireBlamesStore requires that the node says why it is not ready.
func requireBlamesStore(r *Round, n *cluster.Node) {
	r.TB.Helper()
	cluster.Eventually(r.TB, defaultWritesWithin*r.Patience, n.ID+" is to say that its store does not answer", func() error {
		err := n.Client.Ready(r.TB.Context())
		if err == nil || !strings.Contains(err.Error(), "database does not answer") {
			return fmt.Errorf("its readiness is: %v", err)
		}
		return nil
	})
}

// stopEveryStore makes all servers vanish in the same moment, as one that all nodes share does, and come
// back in the same moment.
func stopEveryStore(r *Round) (heal func()) {
	r.TB.Helper()
	leader := r.Leader()
	before, err := leader.Client.Status(r.TB.Context())
	require.NoError(r.TB, err)
	onEveryNode(r, func(n *cluster.Node) error { return n.Lines.MySQL.Refuse() })
	onEveryNode(r, func(n *cluster.Node) error { return n.Lines.Server.Kill() })
	return func() {
		r.TB.Helper()
		for _, n := range r.Cluster.Nodes {
			requireBlamesStore(r, n)
			requireRefusesForStore(r, n)
		}
		after, err := leader.Client.Status(r.TB.Context())
		require.NoError(r.TB, err)
		require.Equal(r.TB, []any{"leader", before.Term}, []any{after.State, after.Term}, "somebody took the lead over although no store is better off")
		onEveryNode(r, func(n *cluster.Node) error { return n.Lines.Server.Start() })
		onEveryNode(r, func(n *cluster.Node) error { return n.Lines.MySQL.Heal() })
		r.QuorumIsBack()
	}
}

func requireRefusesForStore(r *Round, n *cluster.Node) {
	r.TB.Helper()
	err := updateNothing(r, n)
	require.Equal(r.TB, "store_unavailable", cluster.CodeOf(err), "a write on %s ended in: %v", n.ID, err)
}

// onEveryNode does the same for all nodes side by side.
func onEveryNode(r *Round, do func(n *cluster.Node) error) {
	r.TB.Helper()
	errs := make([]error, len(r.Cluster.Nodes))
	var wg sync.WaitGroup
	for i, n := range r.Cluster.Nodes {
		wg.Go(func() { errs[i] = do(n) })
	}
	wg.Wait()
	for i, err := range errs {
		require.NoError(r.TB, err, r.Cluster.Nodes[i].ID)
	}
}
