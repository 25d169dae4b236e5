package chaos

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/damage"
	"versiond/test/harness/cluster"
)

// mendedWithin bounds how long a node takes to see what was done to its database, and to build it anew: twice, where the log
// that leads on from the first snapshot is gone by then, beside another node that does the same. With all the changes that are
// kept, each time takes up to 15 seconds on two processors.
const mendedWithin = 90 * time.Second

// harmFaults are of what somebody does to the nodes' databases behind their backs: each kind to the leader's and a
// follower's, under load and while nobody writes.
func harmFaults() []Fault {
	var faults []Fault
	for _, group := range damage.Groups() {
		faults = append(faults, Fault{
			Name: "somebody changes " + group.Name + " of the leader's and a follower's database, in every way there is", LeastDuring: 100, WritesWithin: twoElections, WrongLists: true,
			Promise: "No wrong read, and no acknowledged write lost: a node whose store is not as it left it serves nothing from there, says so in /readyz, and builds it anew by itself.",
			Inject:  func(r *Round) func() { return harmEach(r, group.Kinds) },
		})
	}
	return append(faults, Fault{
		Name: "MySQL denies the leader's account to write", Modes: []Mode{MySQL}, Lasts: storeSilence, LeastDuring: 20,
		Promise: "It hands over within 5 seconds and says in /readyz what to grant; once that is done it catches up by itself.",
		Inject:  denyWrites,
	})
}

func harmEach(r *Round, kinds []damage.Kind) (heal func()) {
	r.TB.Helper()
	for _, kind := range kinds {
		if r.Mode == Embedded && kind.SQLite == nil || r.Mode == MySQL && kind.MySQL == nil {
			continue
		}
		harm(r, kind)
		r.Idle(func() { harm(r, kind) })
	}
	return func() {}
}

// harm waits until both nodes are sound again; kinds that nobody has to mend are done all the same.
func harm(r *Round, kind damage.Kind) {
	r.TB.Helper()
	nodes := []*cluster.Node{r.Leader(), r.Follower()}
	var loads [2]int
	for i, n := range nodes {
		loads[i] = strings.Count(n.Log(), storeLoaded)
		n.Database.Harm(kind)
	}
	for i, n := range nodes {
		cluster.Eventually(r.TB, mendedWithin*r.Patience, fmt.Sprintf("%s is to mend %q", n.ID, kind.Name), func() error {
			if !kind.Harmless && strings.Count(n.Log(), storeLoaded) == loads[i] {
				return errors.New("it has not loaded its store again")
			}
			return n.Client.Ready(r.TB.Context())
		})
	}
}

const storeLoaded = "the store is loaded"

// denyWrites takes from the leader's account what it needs to write, and returns what grants it again as an
// administrator does: without an end to the sessions that are there.
func denyWrites(r *Round) (heal func()) {
	r.TB.Helper()
	n := r.Leader()
	administrator := mustAdministrate(r, n)
	change := func(format string) {
		for _, host := range []string{"%", "127.0.0.1"} {
			_, err := administrator.ExecContext(r.TB.Context(), fmt.Sprintf(format, host))
			require.NoError(r.TB, err)
		}
	}
	change("REVOKE INSERT, UPDATE, DELETE ON *.* FROM versiond@'%s'")
	n.Lines.MySQL.Cut() // the node's sessions keep what they began with
	requireLeadershipLeaves(r, n)
	return func() {
		r.TB.Helper()
		cluster.Eventually(r.TB, defaultWritesWithin*r.Patience, n.ID+" is to say what to grant", func() error {
			if err := n.Client.Ready(r.TB.Context()); err == nil || !strings.Contains(err.Error(), "let an administrator grant") {
				return fmt.Errorf("its readiness is: %v", err)
			}
			return nil
		})
		change("GRANT ALL PRIVILEGES ON *.* TO versiond@'%s' WITH GRANT OPTION")
		require.NoError(r.TB, administrator.Close())
	}
}

func mustAdministrate(r *Round, n *cluster.Node) *sql.DB {
	r.TB.Helper()
	for _, statement := range []string{
		"CREATE USER IF NOT EXISTS administrator@'127.0.0.1' IDENTIFIED BY 'pw'",
		"GRANT ALL PRIVILEGES ON *.* TO administrator@'127.0.0.1' WITH GRANT OPTION",
	} {
		require.NoError(r.TB, n.Lines.Server.Exec(r.TB.Context(), statement))
	}
	db, err := sql.Open("mysql", n.Lines.Server.DSNFor("administrator", "pw", ""))
	require.NoError(r.TB, err)
	return db
}
