package dao

import (
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"versiond/model"
)

// tables are made in this order, each from the tags of its row.
var tables = []schema.Tabler{model.Version{}, stateRow{}, dedupRow{}, changeRow{}}

// stateRow is the only row of its table; its ID is stateID.
type stateRow struct {
	ID uint8 `gorm:"primaryKey;autoIncrement:false;not null"`
	model.StoreState
}

const stateID = 1

// TableName implements schema.Tabler.
func (stateRow) TableName() string { return "versiond_state" }

// dedupRow is a model.DedupRecord. What it holds is binary, unlike all other tables.
type dedupRow struct {
	Revision    uint64 `gorm:"primaryKey;autoIncrement:false;not null"`
	KeyHash     []byte `gorm:"size:16;not null"`
	RequestHash []byte `gorm:"size:16;not null"`
	Outcomes    []byte `gorm:"size:16384;not null"`
}

// TableName implements schema.Tabler.
func (dedupRow) TableName() string { return "versiond_idempotency" }

// dialect is what differs between MySQL 8.4 or MariaDB 10.11 and SQLite, beyond what GORM knows.
type dialect struct {
	// tableOptions follow the columns of a table.
	tableOptions func(row schema.Tabler) string
	// shapeQueries read how each of the tables is made, in their order, and the triggers; dropTables removes whatever is in their place.
	shapeQueries []string
	// standing reads the names of what is there.
	standing   string
	dropTables func(tx *gorm.DB) error
	// statementBytesMax is how long a statement may be.
	statementBytesMax int
	// byPlatform is the table of the records in a query for those of one platform, in the order of their ids.
	byPlatform string
	// rowsPerStatement returns how many of the rows that are left the next statement writes.
	rowsPerStatement func(left int) int
}

// dialectOf returns the dialect of gormDB's database, without asking it.
func dialectOf(gormDB *gorm.DB) dialect {
	if gormDB.Name() == "sqlite" {
		return sqliteDialect
	}
	d := mysqlDialect
	if limited, ok := gormDB.Dialector.(interface{ StatementBytesMax() int }); ok && limited.StatementBytesMax() > 0 {
		d.statementBytesMax = min(d.statementBytesMax, limited.StatementBytesMax())
	}
	return d
}

var mysqlDialect = dialect{
	tableOptions: mysqlTableOptions, shapeQueries: mysqlShapeQueries(), standing: mysqlStanding, dropTables: mysqlDropTables,
	statementBytesMax: statementBytesMost, rowsPerStatement: mysqlRowsPerStatement,
	// Left to choose, MariaDB looks up the platform alone, and steps over all its records before the page.
	byPlatform: "versions FORCE INDEX (versions_platform)",
}

var sqliteDialect = dialect{
	tableOptions: sqliteTableOptions, shapeQueries: sqliteShapeQueries(), standing: sqliteStanding, dropTables: sqliteDropTables,
	statementBytesMax: statementBytesMost, rowsPerStatement: sqliteRowsPerStatement,
	byPlatform: "versions",
}

// mysqlTableOptions have words compared by their code points, which is in the order of their bytes, trailing blanks
// and all. Each of the two servers has a name of its own for that, and reads the other's as a comment.
func mysqlTableOptions(schema.Tabler) string {
	return " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100203 COLLATE utf8mb4_nopad_bin */"
}

// sqliteTableOptions let nobody put a value of another type in: a blob of the same bytes would look like the text,
// and be found under no id.
func sqliteTableOptions(row schema.Tabler) string {
	if _, keyIsText := row.(model.Version); keyIsText {
		return " STRICT, WITHOUT ROWID"
	}
	return " STRICT"
}
