package dao

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-redis/redis/v8"
	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
	"modernc.org/sqlite"

	"versiond/model"
)

// Numbers of the database errors that mean something to us.
const (
	mysqlAccessDenied    = 1044
	mysqlUnknownDatabase = 1049
	mysqlUnknownColumn   = 1054
	mysqlNoSuchTable     = 1146
	sqliteGenericError   = 1
)

// translate turns a driver's error into one of package model, the only place where that happens. The
// cause stays in the chain for the log and for errors.Is on the context's errors.
func translate(ctx context.Context, op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, model.ErrStateMoved), errors.Is(err, model.ErrNoState):
		return fmt.Errorf("%s: %w", op, err)
	case errors.Is(err, gorm.ErrRecordNotFound):
		return fmt.Errorf("%s: %w", op, model.ErrNotFound)
	case errors.Is(ctx.Err(), context.Canceled):
		// The caller went away, which says nothing about the database.
		return fmt.Errorf("%s: %w: %w", op, ctx.Err(), err)
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		// A driver may report an interrupt, database/sql a finished transaction.
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w: %w", op, model.ErrStoreUnavailable, err)
}

// translateWrite is translate for writes that rest on what this node left: a table or database that
// is gone is then a state that somebody else changed.
func translateWrite(ctx context.Context, op string, err error) error {
	if schemaMissing(err) {
		return fmt.Errorf("%s: %w: %w", op, model.ErrStateMoved, err)
	}
	return translate(ctx, op, err)
}

// schemaMissing tells that a database or table is not there.
func schemaMissing(err error) bool {
	return isSQLite(err, "no such table") || isMySQL(err, mysqlNoSuchTable) || isMySQL(err, mysqlUnknownDatabase)
}

// columnMissing tells that a table is of a release that did not know of a column.
func columnMissing(err error) bool {
	return isSQLite(err, "no such column") || isMySQL(err, mysqlUnknownColumn)
}

// isSQLite knows an error by its words, since SQLite has no code of its own for these. The library is
// compiled in, so its words are known.
func isSQLite(err error, words string) bool {
	var sqliteErr *sqlite.Error
	return errors.As(err, &sqliteErr) && sqliteErr.Code() == sqliteGenericError && strings.Contains(sqliteErr.Error(), words)
}

// databaseHidden tells that MySQL lets the account see nothing of the database. That is also what it
// says of a database that does not exist to an account without any rights to it.
func databaseHidden(err error) bool { return isMySQL(err, mysqlAccessDenied) }

func isMySQL(err error, number uint16) bool {
	var mysqlErr *mysql.MySQLError
	return errors.As(err, &mysqlErr) && mysqlErr.Number == number
}

// translateRedis names the call that failed. Redis holds only derived values, so its failures have
// no sentinel: callers log them and go on.
func translateRedis(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return model.ErrNotFound
	case errors.Is(err, model.ErrCorrupt):
		return err
	}
	return fmt.Errorf("redis %s: %w", op, err)
}
