package dao

import (
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
	// shapeQueries tell how each of the tables is made, in their order, and the triggers; dropTables takes whatever is in their place away.
	shapeQueries []string
	// standing finds the names of that.
	standing   string
	dropTables func(tx *gorm.DB) error
	// upsert writes rows of the versions table, new ones and others: what stands before their values and
	// behind them.
	upsert, upsertEnd string
	// statementBytesMax is how long a statement may be, 0 where that is not limited.
	statementBytesMax int
	// rowsPerStatement says, of so many rows that are left, how many the next statement writes.
	rowsPerStatement func(left int) int
	// onConflict is the end of an INSERT on a table that makes it overwrite the row it meets. It is
	// given the key column and those to overwrite.
	onConflict func(key string, columns []string) string
}

const (
	// mysqlRowsMax makes long statements, since round trips are what an apply waits for there.
	mysqlRowsMax  = 1000
	sqliteRowsMax = 128
)

func mysqlRowsPerStatement(left int) int { return min(left, mysqlRowsMax) }

// sqliteRowsPerStatement gives powers of two, so that there are few statements, which db.OpenSQLite keeps
// prepared.
func sqliteRowsPerStatement(left int) int {
	return 1 << (bits.Len(uint(min(left, sqliteRowsMax))) - 1)
}

const (
	// statementBytesKept is more than the words of any statement have around its values, valueBytesKept more
	// than a value has around it.
	statementBytesKept = 512
	valueBytesKept     = 24
)

// rowsThatFit returns how many rows, of so many that are left, the next statement takes, the first in any case.
// bytes returns how long the values of a row are.
func (d *dialect) rowsThatFit(left int, bytes func(i int) int) int {
	n, total := d.rowsPerStatement(left), statementBytesKept
	for i := 0; i < n && d.statementBytesMax > 0; i++ {
		// What is quoted may get twice as long.
		if total += 2*bytes(i) + versionColumnCount*valueBytesKept; i > 0 && total > d.statementBytesMax {
			return i
		}
	}
	return n
}

// dialectOf tells the database behind gormDB, without asking it.
func dialectOf(gormDB *gorm.DB) dialect {
	if gormDB.Name() == "sqlite" {
		return sqliteDialect
	}
	d := mysqlDialect
	if limited, ok := gormDB.Dialector.(interface{ StatementBytesMax() int }); ok {
		d.statementBytesMax = limited.StatementBytesMax()
	}
	return d
}

var mysqlDialect = dialect{
	tables: mysqlTables(), shapeQueries: mysqlShapeQueries(), standing: mysqlStanding, dropTables: mysqlDropTables,
	onConflict: mysqlOnConflict, rowsPerStatement: mysqlRowsPerStatement,
	upsert: "INSERT INTO versions (" + versionColumns + ") VALUES ", upsertEnd: mysqlOnConflict("id", []string{"version_no", "platform", "revision"}),
}

// sqliteDialect says REPLACE, which is the cheapest to run.
var sqliteDialect = dialect{
	tables: sqliteTables(), shapeQueries: sqliteShapeQueries(), standing: sqliteStanding, dropTables: sqliteDropTables,
	onConflict: sqliteOnConflict, rowsPerStatement: sqliteRowsPerStatement,
	upsert: "REPLACE INTO versions (" + versionColumns + ") VALUES ",
}

// mysqlTables uses VARBINARY throughout: it compares byte for byte, where text collations fold case
// or pad blanks. An id has up to 128 bytes, the other fields 64 characters of up to four.
func mysqlTables() []string {
	return []string{
		`CREATE TABLE versions (
			id VARBINARY(128) NOT NULL PRIMARY KEY,
			version_no VARBINARY(256) NOT NULL,
			platform VARBINARY(256) NOT NULL,
			revision BIGINT UNSIGNED NOT NULL,
			KEY versions_platform (platform)
		) ENGINE=InnoDB`,
		`CREATE TABLE versiond_state (
			id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
			cluster_id VARBINARY(64) NOT NULL,
			node_id VARBINARY(64) NOT NULL,
			store_id VARBINARY(64) NOT NULL,
			applied_index BIGINT UNSIGNED NOT NULL,
			applied_term BIGINT UNSIGNED NOT NULL,
			restoring TINYINT UNSIGNED NOT NULL,
			checksum VARBINARY(96) NOT NULL,
			shape VARBINARY(64) NOT NULL,
			seal VARBINARY(64) NOT NULL
		) ENGINE=InnoDB`,
		`CREATE TABLE versiond_memories (
			revision BIGINT UNSIGNED NOT NULL PRIMARY KEY,
			key_hash VARBINARY(16) NOT NULL,
			request_hash VARBINARY(16) NOT NULL,
			outcomes VARBINARY(16384) NOT NULL
		) ENGINE=InnoDB`,
	}
}

// sqliteTables says TEXT, which SQLite compares byte for byte and keeps as it is. A column declared
// VARBINARY would have numeric affinity and turn the id 1.0 into 1. STRICT tables take no value of another type from
// anybody: a blob of the same bytes would look like the text, and be found under no id.
func sqliteTables() []string {
	return []string{
		`CREATE TABLE versions (
			id TEXT NOT NULL PRIMARY KEY,
			version_no TEXT NOT NULL,
			platform TEXT NOT NULL,
			revision INTEGER NOT NULL
		) STRICT, WITHOUT ROWID`,
		`CREATE INDEX versions_platform ON versions (platform)`,
		`CREATE TABLE versiond_state (
			id INTEGER NOT NULL PRIMARY KEY,
			cluster_id TEXT NOT NULL,
			node_id TEXT NOT NULL,
			store_id TEXT NOT NULL,
			applied_index INTEGER NOT NULL,
			applied_term INTEGER NOT NULL,
			restoring INTEGER NOT NULL,
			checksum TEXT NOT NULL,
			shape TEXT NOT NULL,
			seal TEXT NOT NULL
		) STRICT`,
		`CREATE TABLE versiond_memories (
			revision INTEGER NOT NULL PRIMARY KEY,
			key_hash BLOB NOT NULL,
			request_hash BLOB NOT NULL,
			outcomes BLOB NOT NULL
		) STRICT`,
	}
}

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
