package dao

import (
	"context"
	"math/bits"
	"strings"

	"gorm.io/gorm"
)

// The columns of the versions table in the order in which statements name them.
const (
	versionColumns     = "id, version_no, platform, revision"
	versionColumnCount = 4
)

// dialect is what differs between the databases. Everything else is SQL that MySQL 8.4, MariaDB
// 10.11 and SQLite all take.
type dialect struct {
	tables []string
	// memories is the one of them that came after the first release.
	memories string
	// added are the columns that came after the first release, which older databases lack.
	added []column
	// upsert writes rows of the versions table, new ones and others: what stands before their values and
	// behind them.
	upsert, upsertEnd string
	// rowsPerStatement says, of so many rows that are left, how many the next statement writes.
	rowsPerStatement func(left int) int
	// onConflict is the end of an INSERT on a table that makes it overwrite the row it meets. It is
	// given the key column and those to overwrite.
	onConflict func(key string, columns []string) string
}

const (
	// mysqlRowsMax makes long statements, since round trips are what an apply waits for there: 1,000
	// rows of the longest fields are 640 kB, twice that escaped, well under MySQL's default packet.
	mysqlRowsMax  = 1000
	sqliteRowsMax = 128
)

func mysqlRowsPerStatement(left int) int { return min(left, mysqlRowsMax) }

// sqliteRowsPerStatement gives powers of two, so that there are few statements, which db.OpenSQLite keeps
// prepared.
func sqliteRowsPerStatement(left int) int {
	return 1 << (bits.Len(uint(min(left, sqliteRowsMax))) - 1)
}

type column struct{ table, name, definition string }

// dialectOf tells the database behind gormDB, without asking it.
func dialectOf(gormDB *gorm.DB) dialect {
	if gormDB.Name() == "sqlite" {
		return sqliteDialect
	}
	return mysqlDialect
}

var mysqlDialect = dialect{
	tables: mysqlTables(), memories: mysqlMemories, added: []column{{"versiond_state", "checksum", "VARBINARY(96)"}},
	onConflict: mysqlOnConflict, rowsPerStatement: mysqlRowsPerStatement,
	upsert: "INSERT INTO versions (" + versionColumns + ") VALUES ", upsertEnd: mysqlOnConflict("id", []string{"version_no", "platform", "revision"}),
}

// sqliteDialect says REPLACE, which is the cheapest to run.
var sqliteDialect = dialect{
	tables: sqliteTables(), memories: sqliteMemories, added: []column{{"versiond_state", "checksum", "TEXT"}},
	onConflict: sqliteOnConflict, rowsPerStatement: sqliteRowsPerStatement,
	upsert: "REPLACE INTO versions (" + versionColumns + ") VALUES ",
}

// mysqlTables uses VARBINARY throughout: it compares byte for byte, where text collations fold case
// or pad blanks. An id has up to 128 bytes, the other fields 64 characters of up to four.
func mysqlTables() []string {
	return []string{
		`CREATE TABLE IF NOT EXISTS versions (
			id VARBINARY(128) NOT NULL PRIMARY KEY,
			version_no VARBINARY(256) NOT NULL,
			platform VARBINARY(256) NOT NULL,
			revision BIGINT UNSIGNED NOT NULL,
			KEY versions_platform (platform)
		) ENGINE=InnoDB`,
		`CREATE TABLE IF NOT EXISTS versiond_state (
			id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
			cluster_id VARBINARY(64) NOT NULL,
			node_id VARBINARY(64) NOT NULL,
			store_id VARBINARY(64) NOT NULL,
			applied_index BIGINT UNSIGNED NOT NULL,
			applied_term BIGINT UNSIGNED NOT NULL,
			restoring TINYINT UNSIGNED NOT NULL,
			checksum VARBINARY(96)
		) ENGINE=InnoDB`,
		mysqlMemories,
	}
}

// sqliteTables says TEXT, which SQLite compares byte for byte and keeps as it is. A column declared
// VARBINARY would have numeric affinity and turn the id 1.0 into 1.
func sqliteTables() []string {
	return []string{
		`CREATE TABLE IF NOT EXISTS versions (
			id TEXT NOT NULL PRIMARY KEY,
			version_no TEXT NOT NULL,
			platform TEXT NOT NULL,
			revision INTEGER NOT NULL
		) WITHOUT ROWID`,
		`CREATE INDEX IF NOT EXISTS versions_platform ON versions (platform)`,
		`CREATE TABLE IF NOT EXISTS versiond_state (
			id INTEGER NOT NULL PRIMARY KEY,
			cluster_id TEXT NOT NULL,
			node_id TEXT NOT NULL,
			store_id TEXT NOT NULL,
			applied_index INTEGER NOT NULL,
			applied_term INTEGER NOT NULL,
			restoring INTEGER NOT NULL,
			checksum TEXT
		)`,
		sqliteMemories,
	}
}

const (
	mysqlMemories = `CREATE TABLE IF NOT EXISTS versiond_memories (
			revision BIGINT UNSIGNED NOT NULL PRIMARY KEY,
			key_hash VARBINARY(16) NOT NULL,
			request_hash VARBINARY(16) NOT NULL,
			outcomes VARBINARY(16384) NOT NULL
		) ENGINE=InnoDB`
	sqliteMemories = `CREATE TABLE IF NOT EXISTS versiond_memories (
			revision INTEGER NOT NULL PRIMARY KEY,
			key_hash BLOB NOT NULL,
			request_hash BLOB NOT NULL,
			outcomes BLOB NOT NULL
		)`
)

func mysqlOnConflict(_ string, columns []string) string {
	return " ON DUPLICATE KEY UPDATE " + assign(columns, func(c string) string { return "VALUES(" + c + ")" })
}

func sqliteOnConflict(key string, columns []string) string {
	return " ON CONFLICT (" + key + ") DO UPDATE SET " + assign(columns, func(c string) string { return "excluded." + c })
}

func assign(columns []string, value func(column string) string) string {
	assignments := make([]string, len(columns))
	for i, column := range columns {
		assignments[i] = column + " = " + value(column)
	}
	return strings.Join(assignments, ", ")
}

// EnsureSchema makes the database, when CreateDatabase is set, and the tables and columns that are
// missing. What is there stays as it is.
func (d *VersionMysqlDao) EnsureSchema(ctx context.Context) error {
	const op = "making the schema"
	if d.CreateDatabase != nil {
		if err := d.CreateDatabase(ctx); err != nil {
			return translate(ctx, op, err)
		}
	}
	for _, statement := range dialectOf(d.DB).tables {
		if err := d.DB.WithContext(ctx).Exec(statement).Error; err != nil {
			return translate(ctx, op, err)
		}
	}
	return translate(ctx, op, addColumns(d.DB.WithContext(ctx)))
}

// addColumns asks for each column before it adds it: MySQL has no ADD COLUMN IF NOT EXISTS, and DDL
// would wait for open views.
func addColumns(tx *gorm.DB) error {
	for _, c := range dialectOf(tx).added {
		err := tx.Exec("SELECT " + c.name + " FROM " + c.table + " WHERE 1 = 0").Error
		if columnMissing(err) {
			err = tx.Exec("ALTER TABLE " + c.table + " ADD COLUMN " + c.name + " " + c.definition).Error
		}
		if err != nil {
			return err
		}
	}
	return nil
}
