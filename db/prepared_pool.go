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
	// preparedStatementsMax bounds what preparedPool keeps, and is above the number of texts that package dao
	// writes again and again: it cuts rows into powers of two.
	preparedStatementsMax = 64
	// prepareTimeout bounds the wait for a second connection: readers may have all of them, and the
	// transaction that waits keeps others from writing.
	prepareTimeout = 50 * time.Millisecond
)

// preparedPool is a pool whose transactions have SQLite read each statement once a connection, not each
// time. GORM's own PrepareStmt prepares a statement that it first meets in a transaction on that
// transaction, with which database/sql drops it. This one prepares on the pool.
type preparedPool struct {
	*sql.DB

	mu         sync.Mutex
	statements *simplelru.LRU[string, *sql.Stmt]
}

func newPreparedPool(pool *sql.DB) (*preparedPool, error) {
	statements, err := simplelru.NewLRU[string, *sql.Stmt](preparedStatementsMax, nil)
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

// statement returns nil when there is none to be had: what is wrong with one shows when it is run as it is.
// One that is closed meanwhile, because others came, is prepared again by the transaction.
func (p *preparedPool) statement(ctx context.Context, query string) *sql.Stmt {
	if statement := p.kept(query); statement != nil {
		return statement
	}
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	statement, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	kept, leaves := p.add(query, statement)
	if leaves != nil {
		_ = leaves.Close() // it only lets go of memory
	}
	return kept
}

func (p *preparedPool) kept(query string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	statement, _ := p.statements.Get(query)
	return statement
}

// add returns the statement that is kept for query, which is another one if somebody was faster, and the one that
// has to leave.
func (p *preparedPool) add(query string, statement *sql.Stmt) (kept, leaves *sql.Stmt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.statements.Get(query); ok {
		return other, statement
	}
	if p.statements.Len() == preparedStatementsMax {
		_, leaves, _ = p.statements.RemoveOldest()
	}
	p.statements.Add(query, statement)
	return statement, leaves
}

// preparedTx is a transaction of a preparedPool.
type preparedTx struct {
	*sql.Tx
	pool *preparedPool
}

// ExecContext implements gorm.ConnPool.
func (t *preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if statement := t.pool.statement(ctx, query); statement != nil {
		return t.StmtContext(ctx, statement).ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}
