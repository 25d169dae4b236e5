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

// Errors of the databases that mean something to us. The driver's errors match one another by number.
var (
	mysqlAccessDenied    = &mysql.MySQLError{Number: 1044}
	mysqlUnknownDatabase = &mysql.MySQLError{Number: 1049}
	mysqlUnknownColumn   = &mysql.MySQLError{Number: 1054}
	mysqlNoSuchTable     = &mysql.MySQLError{Number: 1146}
	mysqlViewInvalid     = &mysql.MySQLError{Number: 1356}
	mysqlNoTablespace    = &mysql.MySQLError{Number: 1812}
	mysqlDiscarded       = &mysql.MySQLError{Number: 1814}
	mysqlNotInEngine     = &mysql.MySQLError{Number: 1932}
)

const sqliteGenericError = 1

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
	case ctx.Err() != nil:
		// A driver may report an interrupt, database/sql a finished transaction.
		return fmt.Errorf("%s: %w: %w: %w", op, model.ErrStoreUnavailable, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w", op, unavailable(err))
}

// translate does what the function translate does. Before that it marks with model.ErrStoreDiffers an answer that comes of
// tables which are not as this node left them.
func (d *VersionMysqlDao) translate(ctx context.Context, op string, err error) error {
	d.seePrivileges(err)
	if (isAnswer(err) || isUnfit(err)) && !errors.Is(err, model.ErrNoState) && d.isOfTables(ctx, err) {
		err = fmt.Errorf("%w: %w", model.ErrStoreDiffers, err)
	}
	return translate(ctx, op, err)
}

// translateWrite is translate for writes, which rest on what this node left.
func (d *VersionMysqlDao) translateWrite(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	d.seePrivileges(err)
	if isAnswer(err) && d.isOfTables(ctx, err) {
		return fmt.Errorf("%s: %w: %w", op, model.ErrStateMoved, err)
	}
	return translate(ctx, op, err)
}

// seePrivileges closes the connections that are idle when one is denied something: a session keeps the privileges
// that it began with, and an administrator may have granted more since.
func (d *VersionMysqlDao) seePrivileges(err error) {
	if !isDenied(err) {
		return
	}
	if pool, err := d.DB.DB(); err == nil {
		pool.SetMaxIdleConns(0)
		pool.SetMaxIdleConns(pool.Stats().MaxOpenConnections)
	}
}

func (d *VersionMysqlDao) isOfTables(ctx context.Context, answer error) bool {
	return !isDenied(answer) && (isMissing(answer) || isReshaped(answer) || d.reshaped(ctx))
}

// isMissing reports whether there is no such row, table or database. MySQL says of a database that it lets the
// account see nothing of it, also where it does not exist.
func isMissing(err error) bool {
	return errors.Is(err, gorm.ErrRecordNotFound) || isSQLite(err, "no such table") || errors.Is(err, mysqlNoSuchTable) || errors.Is(err, mysqlUnknownDatabase) || databaseHidden(err)
}

// isReshaped reports whether a table has not the form that a statement is for, or none that can be read.
func isReshaped(err error) bool {
	return isUnfit(err) || isSQLite(err, "no such column") || model.IsAny(err, mysqlUnknownColumn, mysqlViewInvalid, mysqlNoTablespace, mysqlDiscarded, mysqlNotInEngine)
}

// isUnfit reports whether a value does not fit its column, which is none of ours. database/sql has no error for that; its
// words are known, since it is compiled in.
func isUnfit(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "sql: Scan error") }

// isAnswer reports whether the database has read a statement, and refused it.
func isAnswer(err error) bool {
	var ofSQLite *sqlite.Error
	var ofMySQL *mysql.MySQLError
	return errors.As(err, &ofMySQL) || errors.As(err, &ofSQLite) ||
		errors.Is(err, gorm.ErrDuplicatedKey) || errors.Is(err, gorm.ErrForeignKeyViolated) || errors.Is(err, gorm.ErrCheckConstraintViolated)
}

// isDenied reports whether the account lacks a privilege, or is not let in.
func isDenied(err error) bool {
	var answer *mysql.MySQLError
	return errors.As(err, &answer) && mysqlRemedies[answer.Number] == remedyDenied
}

// isSQLite knows an error by its words, since SQLite has no code of its own for these. The library is
// compiled in, so its words are known.
func isSQLite(err error, words string) bool {
	var sqliteErr *sqlite.Error
	return errors.As(err, &sqliteErr) && sqliteErr.Code() == sqliteGenericError && strings.Contains(sqliteErr.Error(), words)
}

// databaseHidden reports whether MySQL lets the account see nothing of the database. That is also what it
// says of a database that does not exist to an account without any rights to it.
func databaseHidden(err error) bool { return errors.Is(err, mysqlAccessDenied) }

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
