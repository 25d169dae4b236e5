package service

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/servers"
)

// detailOf returns what a readiness check says.
func (n *testNode) detailOf(t *testing.T, name string) string {
	t.Helper()
	for _, c := range n.Readiness(t.Context()) {
		if c.Name == name {
			return c.Detail
		}
	}
	t.Fatalf("there is no check %s", name)
	return ""
}

// mustWait has a write wait in the log for the store.
func (n *testNode) mustWait(t *testing.T, commands ...model.Command) {
	t.Helper()
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() { _, _ = n.WriteBatch(ctx, model.Unit{Commands: commands}, "") }) // nobody waits for its outcome
	t.Cleanup(func() { cancel(); wg.Wait() })
	eventually(t, func() bool { return n.node.CommitIndex() > n.node.AppliedIndex() })
}

// requireStoreSays requires that the node says these words of its store wherever it is asked.
func (n *testNode) requireStoreSays(t *testing.T, words string) {
	t.Helper()
	many := make([]model.Command, 500) // more than a full disk has room for by chance
	for i := range many {
		many[i] = add(fmt.Sprintf("waits-%03d", i), strings.Repeat("1", 64))
	}
	n.mustWait(t, many...)
	eventually(t, func() bool { return n.node.HeldUp() != nil })
	require.Contains(t, n.detailOf(t, "store"), words)
	require.Contains(t, n.detailOf(t, "applier"), words)
	_, err := n.AddVersion(within(t, 5*time.Second), record("refused", "1"), model.WriteOptions{})
	require.ErrorContains(t, err, words)
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	_, err = n.GetVersionByID(within(t, 5*time.Second), "a", model.ReadOptions{Level: model.LevelLinearizable})
	require.ErrorContains(t, err, words, "a read that has to see what is in the log")
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	_, err = n.GetVersionByID(within(t, 5*time.Second), "a", model.ReadOptions{Level: model.LevelNone})
	require.NoError(t, err)
}

// A server that takes no writes for a while, or on which somebody holds a lock, answers: who looks at the node must
// read what it says. If this fails, operators look for a fault in the network, or for a leader.
func TestStoreThatRefusesIsQuoted(t *testing.T) {
	t.Parallel()
	server := servers.MariaDB(t)
	for _, statement := range []string{"CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'pw'", "GRANT ALL PRIVILEGES ON `versions\\_node1`.* TO plain@'127.0.0.1'"} {
		require.NoError(t, server.Exec(t.Context(), statement))
	}
	n := nodeOptions{store: mustMySQLAt(t, server.DSNFor("plain", "pw", "versions"))}.mustLead(t)
	n.mustAdd(t, "a", "1")
	require.NoError(t, server.Exec(t.Context(), "SET GLOBAL read_only = 1"))
	n.requireStoreSays(t, "answers with an error: 1290 The MariaDB server is running with the --read-only option")
	require.NoError(t, server.Exec(t.Context(), "SET GLOBAL read_only = 0"))
	n.mustBeReady(t)
	require.Equal(t, "waits-499", n.mustGet(t, "waits-499").ID)

	pool, err := sql.Open("mysql", server.DSN("versions_node1"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "LOCK TABLES versions READ, versiond_state READ")
	require.NoError(t, err)
	n.mustWait(t, add("locked", "1"))
	eventually(t, func() bool { return n.node.HeldUp() != nil })
	require.Contains(t, n.detailOf(t, "store"), "somebody holds a lock")
	_, err = conn.ExecContext(t.Context(), "UNLOCK TABLES")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	n.mustBeReady(t)
}

// A full disk under the embedded database must be told by the check that is of it, with the place where room is
// needed.
func TestFullDiskOfTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "node1")
	n := nodeOptions{path: path}.mustLead(t)
	n.mustAdd(t, "a", "1")
	lift := n.fillUp(t)
	n.requireStoreSays(t, "answers with an error: database or disk is full (13); make room on the disk of the node's data directory")
	require.Contains(t, n.detailOf(t, "store"), filepath.Join(path, "versions.db"))
	require.Equal(t, []string{"store", "applier"}, failing(n.Readiness(t.Context())))
	lift()
	n.mustBeReady(t)
}

// fillUp lets the database file grow no more.
func (n *testNode) fillUp(t *testing.T) (lift func()) {
	t.Helper()
	pool, err := n.store.DB.DB()
	require.NoError(t, err)
	exec := func(pragma string) {
		conns := make([]*sql.Conn, 0, 12)
		for range cap(conns) { // a pragma is of one connection
			conn, err := pool.Conn(context.Background())
			require.NoError(t, err)
			_, err = conn.ExecContext(context.Background(), pragma)
			require.NoError(t, err)
			conns = append(conns, conn)
		}
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
	}
	exec("PRAGMA max_page_count = 1")
	return func() { exec("PRAGMA max_page_count = 4294967294") }
}
