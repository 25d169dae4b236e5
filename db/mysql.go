// Package db opens the stores of a node: a MySQL or SQLite database through GORM, and Redis. It knows
// drivers and their settings; what is read and written there is the business of package dao.
package db

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

const (
	mysqlDialTimeout = 5 * time.Second
	// mysqlIOTimeout ends calls whose context has no deadline when the server hangs.
	mysqlIOTimeout = 30 * time.Second
	mysqlNameMax   = 64

	connectionsMax        = 32
	connectionIdleTimeMax = 5 * time.Minute
)

// OpenMySQL prepares a node's connection pool for the database <database of the DSN>_<nodeID>. It
// never connects: the server may be down when a node starts, and calls fail until it is up.
//
// The function returned makes that database when it is missing. When the account may not, its error
// has the statements that an administrator runs. Both may be used by any goroutine.
func OpenMySQL(dsn, nodeID string, log *slog.Logger) (*gorm.DB, func(context.Context) error, error) {
	cfg, err := mysqlConfig(dsn, nodeID, log)
	if err != nil {
		return nil, nil, err
	}
	packet := &atomic.Int64{}
	pool, err := openPool(cfg, packet)
	if err != nil {
		return nil, nil, err
	}
	dialector := &gormmysql.Dialector{Config: &gormmysql.Config{Conn: pool, DSNConfig: cfg, SkipInitializeWithVersion: true}}
	gormDB, err := gorm.Open(mysqlDialect{dialector, packet}, gormConfig())
	if err != nil {
		return nil, nil, fmt.Errorf("mysql: %w", err)
	}
	creator := &databaseCreator{cfg: cfg, pool: pool}
	return gormDB, creator.create, nil
}

// Close closes the connections of a database that OpenMySQL or OpenSQLite opened.
func Close(gormDB *gorm.DB) error {
	pool, err := gormDB.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// mysqlConfig puts the settings that correctness rests on over those of the user. No error holds
// the DSN: it has a password in it.
func mysqlConfig(dsn, nodeID string, log *slog.Logger) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("mysql.dsn: %w", err)
	}
	if cfg.DBName == "" {
		return nil, fmt.Errorf("mysql.dsn names no database; it must end in /NAME, to which _%s is added", nodeID)
	}
	cfg.DBName = databaseName(cfg, nodeID)
	if utf8.RuneCountInString(cfg.DBName) > mysqlNameMax {
		return nil, fmt.Errorf("mysql.dsn: database name %q is longer than %d characters", cfg.DBName, mysqlNameMax)
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return nil, fmt.Errorf("mysql.dsn: %w", err)
	}
	cfg.ClientFoundRows = true
	cfg.ColumnsWithAlias = false // GORM finds columns by their names
	cfg.InterpolateParams = true // one round trip a statement instead of three
	cfg.MultiStatements = false
	cfg.Loc = time.UTC
	cfg.Logger = driverLogger{log}
	setTimeouts(cfg)
	setLockTimeouts(cfg)
	return cfg, nil
}

func setTimeouts(cfg *mysql.Config) {
	cfg.Timeout = cmp.Or(cfg.Timeout, mysqlDialTimeout)
	cfg.ReadTimeout = cmp.Or(cfg.ReadTimeout, mysqlIOTimeout)
	cfg.WriteTimeout = cmp.Or(cfg.WriteTimeout, mysqlIOTimeout)
}

// gormConfig is what both databases share. GORM prepares no statements: MySQL gets its values
// interpolated, and those of SQLite are prepared below GORM (preparedPool). GORM logs nothing: errors are
// logged where they are handled, and its lines would hold users' values.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		TranslateError:         true,
		QueryFields:            true, // a column that is missing is an error
		Logger:                 logger.Discard,
		NowFunc:                func() time.Time { return time.Now().UTC() },
	}
}

// driverLogger passes on what the MySQL driver has to say about broken connections. Their callers
// get an error as well, hence the low level.
type driverLogger struct{ log *slog.Logger }

// Print implements mysql.Logger.
func (l driverLogger) Print(v ...any) {
	l.log.Debug("mysql driver", "detail", strings.TrimSpace(fmt.Sprint(v...)))
}
