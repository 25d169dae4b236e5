package chaos

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// transactionFaults come in the middle of the transactions by which nodes apply log entries.
func transactionFaults() []Fault {
	fault := func(name, promise string, inject func(r *Round) func()) Fault {
		return Fault{Name: name, Promise: promise, Modes: []Mode{MySQL}, LeastDuring: 50, Inject: inject}
	}
	return []Fault{
		fault("MySQL killed in the middle of a transaction", "No entry is skipped and none applied twice.", killInTransaction),
		fault("MySQL makes nodes the victims of deadlocks", "The transaction is done again; no entry is skipped and none applied twice.", deadlocks),
		fault("connections to MySQL dropped, around COMMIT too", "A COMMIT whose answer is lost is looked up before it is done again; no entry is skipped and none applied twice.", dropConnections),
		fault("MySQL killed and without its last seconds", "The node notices that its store went back, applies again what it lacks, and ends up equal.", forgetLastSeconds),
	}
}

// killInTransaction kills the server when a node has written its rows and not yet moved its state row.
func killInTransaction(r *Round) (heal func()) {
	r.TB.Helper()
	for range 3 {
		n := r.Node()
		blocker := mustBlock(r, n)
		require.NoError(r.TB, n.Lines.Server.Kill())
		blocker.close()
		require.NoError(r.TB, n.Lines.Server.Start())
		r.Hold(time.Second)
	}
	return func() {}
}

// deadlocks make MySQL choose a node's transaction for its victim, several times.
func deadlocks(r *Round) (heal func()) {
	r.TB.Helper()
	for range 6 {
		n := r.Node()
		blocker := mustBlock(r, n)
		before := blocker.deadlocks()
		blocker.wantEverything()
		require.Greater(r.TB, blocker.deadlocks(), before, "MySQL found no deadlock on %s", n.ID)
		blocker.close()
		r.Hold(300 * time.Millisecond)
	}
	return func() {}
}

// dropConnections loses the question or the answer of a COMMIT, or all connections of a node at any moment.
func dropConnections(r *Round) (heal func()) {
	r.TB.Helper()
	const times = 30
	var losses int
	for range times {
		line := r.Node().Lines.MySQL
		switch r.Random.IntN(3) {
		case 0:
			line.LoseRequest("COMMIT", 1)
		case 1:
			line.LoseAnswer("COMMIT", 1)
		case 2:
			line.Cut()
			losses++
		}
		r.Hold(150 * time.Millisecond)
		losses += 1 - line.LossesLeft()
	}
	require.Greater(r.TB, losses, times/2, "too few connections were lost to prove anything")
	return func() { onEveryNode(r, func(n *cluster.Node) error { return n.Lines.MySQL.Heal() }) }
}

// forgetLastSeconds kills a server that answers a COMMIT before its log is on disk, and requires that it
// came back without what it had acknowledged.
func forgetLastSeconds(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Node()
	server := n.Lines.Server
	for _, setting := range []string{"innodb_flush_log_at_trx_commit = 0", "innodb_flush_log_at_timeout = 60"} {
		require.NoError(r.TB, server.Exec(r.TB.Context(), "SET GLOBAL "+setting)) // until the restart
	}
	r.Hold(2 * time.Second)
	require.NoError(r.TB, n.Lines.MySQL.Refuse())
	before, err := n.Database.Read(r.TB.Context())
	require.NoError(r.TB, err)
	require.NoError(r.TB, server.Kill())
	require.NoError(r.TB, server.Start())
	after, err := n.Database.Read(r.TB.Context())
	require.NoError(r.TB, err)
	require.Less(r.TB, after.State.Applied.Index, before.State.Applied.Index, "MySQL lost nothing")
	noticed := strings.Count(n.Log(), storeWentBack)
	return func() {
		require.NoError(r.TB, n.Lines.MySQL.Heal())
		cluster.Eventually(r.TB, defaultWritesWithin*r.Patience, n.ID+" is to notice", func() error {
			if strings.Count(n.Log(), storeWentBack) == noticed {
				return fmt.Errorf("its log does not say so")
			}
			return nil
		})
	}
}

const storeWentBack = "the store is not as this node left it"
