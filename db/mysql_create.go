package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

// Why a database cannot be used. The driver's errors match one another by number.
var (
	mysqlAccessDenied    = &mysql.MySQLError{Number: 1044}
	mysqlUnknownDatabase = &mysql.MySQLError{Number: 1049}
	mysqlPrivilegeNeeded = &mysql.MySQLError{Number: 1227}
)

// databaseCreator makes a node's MySQL database.
type databaseCreator struct {
	cfg  *mysql.Config
	pool *sql.DB
}

// create makes the database unless it is there. It is there when it can be entered; an account that
// owns its database but may not create any must not be refused. A ping would not tell: it succeeds on
// a connection that is older than the drop of its database.
func (c *databaseCreator) create(ctx context.Context) error {
	_, err := c.pool.ExecContext(ctx, "USE "+quoteName(c.cfg.DBName))
	if err == nil {
		return nil
	}
	if !errors.Is(err, mysqlUnknownDatabase) && !errors.Is(err, mysqlAccessDenied) {
		return fmt.Errorf("mysql: %w", err)
	}
	return c.createWithoutDefault(ctx)
}

// createWithoutDefault connects without a default database: MySQL refuses a connection to one that
// does not exist.
func (c *databaseCreator) createWithoutDefault(ctx context.Context) error {
	cfg := c.cfg.Clone()
	cfg.DBName = ""
	server, err := openPool(cfg, &atomic.Int64{})
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err = server.ExecContext(ctx, createStatement(c.cfg.DBName)); err == nil {
		return nil
	}
	if !errors.Is(err, mysqlAccessDenied) && !errors.Is(err, mysqlPrivilegeNeeded) {
		return fmt.Errorf("mysql: creating database %s: %w", c.cfg.DBName, err)
	}
	return fmt.Errorf("mysql: this account may not create or use database %s; let an administrator run: %s; %s; (%w)",
		c.cfg.DBName, createStatement(c.cfg.DBName), grantStatement(c.cfg.DBName, c.account(ctx, server)), err)
}

// account returns the account as the server knows it, which a GRANT must name exactly.
func (c *databaseCreator) account(ctx context.Context, server *sql.DB) string {
	var current string
	if err := server.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&current); err != nil {
		current = c.cfg.User + "@%"
	}
	at := strings.LastIndexByte(current, '@')
	return quoteString(current[:at]) + "@" + quoteString(current[at+1:])
}

func createStatement(database string) string {
	return "CREATE DATABASE IF NOT EXISTS " + quoteName(database) + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
}

// DropStatement is what gets rid of the database that OpenMySQL prepares; empty for a DSN that it refuses.
func DropStatement(dsn, nodeID string) string {
	return ofDatabase(dsn, nodeID, func(cfg *mysql.Config) string { return "DROP DATABASE " + quoteName(cfg.DBName) })
}

// DatabaseAndServer names the database that OpenMySQL prepares, and where it is; empty for a DSN that it refuses.
func DatabaseAndServer(dsn, nodeID string) string {
	return ofDatabase(dsn, nodeID, func(cfg *mysql.Config) string { return "database " + cfg.DBName + " on " + cfg.Addr })
}

// DumpCommand returns the shell command that saves the database of this DSN and node; empty for a DSN that OpenMySQL refuses.
func DumpCommand(dsn, nodeID string) string {
	return ofDatabase(dsn, nodeID, func(cfg *mysql.Config) string { return "mysqldump --single-transaction " + cfg.DBName + " > FILE" })
}

// ofDatabase returns what say makes of the database of this DSN and node; empty for a DSN that OpenMySQL refuses.
func ofDatabase(dsn, nodeID string, say func(*mysql.Config) string) string {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return ""
	}
	cfg.DBName = databaseName(cfg, nodeID)
	return say(cfg)
}

func databaseName(cfg *mysql.Config, nodeID string) string { return cfg.DBName + "_" + nodeID }

// grantStatement escapes what GRANT, and only GRANT, takes for wildcards in a database name.
func grantStatement(database, account string) string {
	pattern := strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(database)
	return "GRANT ALL PRIVILEGES ON " + quoteName(pattern) + ".* TO " + account
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}
