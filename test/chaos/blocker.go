package chaos

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	// blockTimeout is how long a node may take to come upon the lock: it gathers entries, and others lead.
	blockTimeout = 5 * time.Second
	// blockerRows make the blocker's transaction heavier than a node's: the lighter one is the victim.
	blockerRows = 5000
	// trxTablePause has to pass without a look at the table of transactions before MySQL makes it anew.
	trxTablePause = 150 * time.Millisecond
)

// blocker is a transaction on a node's MySQL that has the node's state row locked: the transaction by which
// the node applies entries then stands still in its middle, with its rows written and locked.
type blocker struct {
	r    *Round
	node *cluster.Node
	db   *sql.DB
	tx   *sql.Tx
}

// mustBlock returns one at which the node's transaction waits.
func mustBlock(r *Round, n *cluster.Node) *blocker {
	r.TB.Helper()
	for {
		b := newBlocker(r, n)
		if b.awaitApplier() {
			return b
		}
		b.close()
	}
}

func newBlocker(r *Round, n *cluster.Node) *blocker {
	r.TB.Helper()
	db, err := sql.Open("mysql", n.Lines.Server.DSN(n.Lines.Database))
	require.NoError(r.TB, err)
	b := &blocker{r: r, node: n, db: db}
	b.exec(db, "CREATE DATABASE IF NOT EXISTS blocker")
	b.exec(db, "CREATE TABLE IF NOT EXISTS blocker.ballast (id BIGINT)")
	b.tx, err = db.BeginTx(r.TB.Context(), nil)
	require.NoError(r.TB, err)
	b.exec(b.tx, "INSERT INTO blocker.ballast VALUES (1)"+strings.Repeat(", (1)", blockerRows-1))
	b.exec(b.tx, "SELECT id FROM versiond_state FOR UPDATE")
	return b
}

// executor is a database or a transaction.
type executor interface {
	Exec(query string, args ...any) (sql.Result, error)
}

func (b *blocker) exec(on executor, statement string) {
	b.r.TB.Helper()
	_, err := on.Exec(statement)
	require.NoError(b.r.TB, err, "%s: %s", b.node.ID, statement)
}

// awaitApplier waits until the node's transaction stands still, and reports whether it has written rows: one of
// commands that change nothing has not.
func (b *blocker) awaitApplier() (written bool) {
	b.r.TB.Helper()
	cluster.Eventually(b.r.TB, blockTimeout*b.r.Patience, "a transaction of "+b.node.ID+" is to wait for the lock", func() error {
		b.r.Hold(trxTablePause)
		const waiting = "SELECT COUNT(*), COALESCE(SUM(trx_rows_modified), 0) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
		count, rows := b.numbers(waiting)
		if count == 0 {
			return fmt.Errorf("none does")
		}
		written = rows > 0
		return nil
	})
	return written
}

// wantEverything asks for what the node's transaction has, while that waits for what this one has.
func (b *blocker) wantEverything() {
	b.r.TB.Helper()
	b.exec(b.tx, "SELECT id FROM versions FOR UPDATE")
}

// deadlocks is how many the server has found so far.
func (b *blocker) deadlocks() int {
	b.r.TB.Helper()
	number, _ := b.numbers("SELECT count, 0 FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'")
	return number
}

func (b *blocker) numbers(query string) (first, second int) {
	b.r.TB.Helper()
	require.NoError(b.r.TB, b.db.QueryRowContext(b.r.TB.Context(), query).Scan(&first, &second))
	return first, second
}

// close takes everything back. The server may be gone.
func (b *blocker) close() {
	_ = b.tx.Rollback()
	_ = b.db.Close()
}
