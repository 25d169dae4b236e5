package db

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"gorm.io/gorm"
)

const (
	// preparedStatementsMax bounds what preparedPool keeps. What package dao writes all the time are a dozen
	// texts; it has some whose length follows what they are given.
	preparedStatementsMax = 64
	// prepareTimeout bounds the wait for a second connection: readers may have all of them, and the
	// transaction that waits keeps others from writing.
	prepareTimeout = 50 * time.Millisecond
)

// preparedPool is a pool whose transactions have SQLite read each statement once, not each time. GORM's
// own PrepareStmt prepares what comes first inside a transaction there, and database/sql drops it with
// the transaction. This one prepares outside.
type preparedPool struct {
	*sql.DB

	mu         sync.Mutex
	statements *simplelru.LRU[string, *sql.Stmt]
}

func newPreparedPool(pool *sql.DB) (*preparedPool, error) {
	closeIt := func(_ string, statement *sql.Stmt) { _ = statement.Close() } // it only lets go of memory
	statements, err := simplelru.NewLRU(preparedStatementsMax, closeIt)
	return &preparedPool{DB: pool, statements: statements}, err
}

// GetDBConn implements gorm.GetDBConnector.
func (p *preparedPool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

// BeginTx implements gorm.ConnPoolBeginner.
func (p *preparedPool) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return &preparedTx{Tx: tx, pool: p}, nil
}

// exec runs a statement in a transaction. Only one does so at a time, which costs nothing: SQLite has one
// writer at a time.
func (p *preparedPool) exec(ctx context.Context, tx *sql.Tx, query string, args []any) (sql.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if statement := p.prepare(ctx, query); statement != nil {
		return tx.StmtContext(ctx, statement).ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, query, args...)
}

// prepare gives nil when it can't: what is wrong with a statement shows when it is run as it is.
func (p *preparedPool) prepare(ctx context.Context, query string) *sql.Stmt {
	if statement, ok := p.statements.Get(query); ok {
		return statement
	}
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	statement, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	p.statements.Add(query, statement)
	return statement
}

// preparedTx is a transaction of a preparedPool.
type preparedTx struct {
	*sql.Tx
	pool *preparedPool
}

// ExecContext implements gorm.ConnPool.
func (t *preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.pool.exec(ctx, t.Tx, query, args)
}
