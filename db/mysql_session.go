package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
)

// mysqlLockTimeoutSeconds keeps somebody else's lock from holding the applier for the server's
// default of a day (lock_wait_timeout).
const mysqlLockTimeoutSeconds = "5"

// sessionStatements set, on each new connection, whatever a server's defaults could change in what the
// statements of package dao do: an administrator may have turned any of them round. They come after the
// settings of the user's DSN. Both servers take them: MySQL reads /*M! ... */ as a comment, and MariaDB
// what is in /*!80000 ... */.
var sessionStatements = []string{
	// Each statement outside of a transaction is one of its own, and COMMIT ends a transaction and no more.
	"SET autocommit = 1, completion_type = 0" +
		// A value that does not fit must fail, not be cut; and no ANSI_QUOTES or the like from outside.
		", sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'" +
		// All rows, in the order of all their bytes, however many there are.
		", sql_select_limit = 18446744073709551615, sql_big_selects = 1, max_sort_length = 1024" +
		// DELETE without WHERE, also of rows that somebody's own table refers to; and no bulk loading, which locks a
		// table, where both checks are off.
		", sql_safe_updates = 0, sql_auto_is_null = 0, unique_checks = 1, foreign_key_checks = 0, sql_quote_show_create = 1" +
		// A view is read at the pace of a client: contexts and the driver's time limits end calls, not the server.
		", wait_timeout = 28800, net_read_timeout = 60, net_write_timeout = 60" +
		" /*M!100300 , max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0 */" +
		// With less memory a page is looked for from the first row on: a backup would take hours.
		" /*!80000 , max_execution_time = 0, range_optimizer_max_mem_size = 8388608" +
		// What is said of a table must stay what it was when it was made.
		", show_create_table_verbosity = 0 */",
	// No row is believed that is not committed, and transactions may write.
	"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
}

// setLockTimeouts leaves them to the user's DSN where that has them.
func setLockTimeouts(cfg *mysql.Config) {
	params := map[string]string{
		"lock_wait_timeout":        mysqlLockTimeoutSeconds,
		"innodb_lock_wait_timeout": mysqlLockTimeoutSeconds,
	}
	maps.Copy(params, cfg.Params)
	cfg.Params = params
}

// openPool notes in packet how long a statement may be, by what the server says on the newest connection.
func openPool(cfg *mysql.Config, packet *atomic.Int64) (*sql.DB, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("mysql.dsn: %w", err)
	}
	pool := sql.OpenDB(&sessionConnector{Connector: connector, own: int64(cfg.MaxAllowedPacket), packet: packet})
	pool.SetMaxOpenConns(connectionsMax)
	pool.SetMaxIdleConns(connectionsMax)
	pool.SetConnMaxIdleTime(connectionIdleTimeMax)
	return pool, nil
}

// sessionConnector makes connections whose sessions do not depend on the server's defaults.
type sessionConnector struct {
	driver.Connector
	own    int64 // the driver's limit for a statement, 0 for none
	packet *atomic.Int64
}

// Connect implements driver.Connector.
func (c *sessionConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, conn); err != nil {
		_ = conn.Close() // the first error counts
		return nil, err
	}
	return conn, nil
}

func (c *sessionConnector) prepare(ctx context.Context, conn driver.Conn) error {
	for _, statement := range sessionStatements {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT @@max_allowed_packet", nil)
	if err != nil {
		return err
	}
	row := make([]driver.Value, 1)
	if err := errors.Join(rows.Next(row), rows.Close()); err != nil {
		return err
	}
	var packet sql.NullInt64
	if err := packet.Scan(row[0]); err != nil {
		return fmt.Errorf("the server's max_allowed_packet: %w", err)
	}
	if c.own > 0 {
		packet.Int64 = min(packet.Int64, c.own)
	}
	c.packet.Store(packet.Int64)
	return nil
}

// mysqlDialect is GORM's, and knows how long a statement may be.
type mysqlDialect struct {
	*gormmysql.Dialector
	packet *atomic.Int64
}

// StatementBytesMax returns how long a statement may be, 0 while there was no connection.
func (d mysqlDialect) StatementBytesMax() int { return int(d.packet.Load()) }
