// Package damage lists what somebody may do to a node's database behind its back, for tests of what the node
// makes of it.
package damage

import "slices"

// Kind is one kind of damage.
type Kind struct {
	// Name is what tests and logs call it.
	Name string
	// SQLite and MySQL do it, statement by statement, on SQLite in one transaction; a database without any cannot be
	// damaged like that.
	SQLite, MySQL []string
	// Harmless damage needs no mending.
	Harmless bool
}

// Group is some kinds of damage to one thing.
type Group struct {
	Name  string
	Kinds []Kind
}

// Groups returns all kinds there are.
func Groups() []Group {
	return []Group{
		{"the state row", slices.Concat(movedState, changedState)},
		{"the tables", tables},
		{"columns, types, indexes and triggers", slices.Concat(columns, triggers)},
		{"rows", rows},
	}
}

// Kinds returns those of all groups.
func Kinds() (kinds []Kind) {
	for _, g := range Groups() {
		kinds = append(kinds, g.Kinds...)
	}
	return kinds
}

// both is for damage that the databases are asked for alike.
func both(name string, statements ...string) Kind {
	return Kind{Name: name, SQLite: statements, MySQL: statements}
}

func setState(name, assignment string) Kind {
	return both(name, "UPDATE versiond_state SET "+assignment)
}

var movedState = []Kind{
	setState("index set back by 2", "applied_index = CASE WHEN applied_index > 2 THEN applied_index - 2 ELSE 0 END"),
	setState("index set back by 1,000", "applied_index = CASE WHEN applied_index > 1000 THEN applied_index - 1000 ELSE 0 END"),
	setState("index set forward by 1,000", "applied_index = applied_index + 1000"),
	setState("term changed", "applied_term = applied_term + 1"),
	setState("marked as being restored", "restoring = 1"),
}

var changedState = []Kind{
	setState("checksum changed", "checksum = '1-1-0000000000000001'"),
	setState("checksum emptied", "checksum = ''"),
	setState("seal emptied", "seal = ''"),
	{Name: "number of the state row below zero", SQLite: []string{"UPDATE versiond_state SET id = -1"}},
	setState("shape of the tables changed", "shape = 'another'"),
	setState("beginning of the changes changed", "changes_from = changes_from + 1"),
	setState("cluster changed", "cluster_id = 'another'"),
	setState("node changed", "node_id = 'another'"),
	setState("store changed", "store_id = 'another'"),
	setState("number of the state row changed", "id = 2"),
	both("second state row", "INSERT INTO versiond_state (id, cluster_id, node_id, store_id, applied_index, applied_term, restoring, checksum, changes_from, shape, seal) "+
		"SELECT 2, 'another', 'another', store_id, 1, 1, 0, checksum, 0, shape, seal FROM versiond_state"),
	both("state row deleted", "DELETE FROM versiond_state"),
}

// aside makes room for a table that is renamed.
func aside(table string) []string {
	return []string{"DROP TABLE IF EXISTS " + table + "_aside", "ALTER TABLE " + table + " RENAME TO " + table + "_aside"}
}

// replaced puts a table or view in a table's place, on MySQL, which has no transaction for that, in one step.
func replaced(name, table, kind, definition string) Kind {
	other, gone := table+"_other", table+"_gone"
	return Kind{
		Name:   name,
		SQLite: append(aside(table), "CREATE "+kind+" "+table+definition),
		MySQL: []string{
			"DROP TABLE IF EXISTS " + table + "_aside", "DROP TABLE IF EXISTS " + gone, "DROP " + kind + " IF EXISTS " + other,
			"CREATE TABLE " + table + "_aside LIKE " + table, "INSERT INTO " + table + "_aside SELECT * FROM " + table,
			"CREATE " + kind + " " + other + definition,
			"RENAME TABLE " + table + " TO " + gone + ", " + other + " TO " + table,
		},
	}
}

func viewOf(name, table string) Kind {
	return replaced(name, table, "VIEW", " AS SELECT * FROM "+table+"_aside")
}

var tables = []Kind{
	both("table of records dropped", "DROP TABLE versions"),
	both("table of records renamed", aside("versions")...),
	both("table of records emptied", "DELETE FROM versions"),
	{Name: "table of records truncated", MySQL: []string{"TRUNCATE TABLE versions"}},
	viewOf("table of records replaced by a view", "versions"),
	replaced("table of records replaced by another", "versions", "TABLE", " (name CHAR(9) NOT NULL)"),
	both("table of the state dropped", "DROP TABLE versiond_state"),
	both("table of the state renamed", aside("versiond_state")...),
	viewOf("table of the state replaced by a view", "versiond_state"),
	both("table of dedup records dropped", "DROP TABLE versiond_idempotency"),
	viewOf("table of dedup records replaced by a view", "versiond_idempotency"),
	both("all tables dropped", "DROP TABLE versions", "DROP TABLE versiond_state", "DROP TABLE versiond_idempotency", "DROP TABLE version_changes"),
	both("table of changes dropped", "DROP TABLE version_changes"),
	viewOf("table of changes replaced by a view", "version_changes"),
	{Name: "file of the table of records given up", MySQL: []string{"ALTER TABLE versions DISCARD TABLESPACE"}},
	{Name: "file of the table of changes given up", MySQL: []string{"ALTER TABLE version_changes DISCARD TABLESPACE"}},
	{Name: "table of records in another engine", MySQL: []string{"ALTER TABLE versions ENGINE = MyISAM"}},
}

var columns = []Kind{
	{Name: "index dropped", SQLite: []string{"DROP INDEX versions_platform"}, MySQL: []string{"DROP INDEX versions_platform ON versions"}},
	both("index added", "CREATE INDEX versions_somebody ON versions (version_no)"),
	{
		Name:   "column of records dropped",
		SQLite: []string{"DROP INDEX versions_platform", "ALTER TABLE versions DROP COLUMN platform"},
		MySQL:  []string{"ALTER TABLE versions DROP COLUMN platform"},
	},
	both("column of records renamed", "ALTER TABLE versions RENAME COLUMN version_no TO number"),
	{
		Name:   "column of records added",
		SQLite: []string{"ALTER TABLE versions ADD COLUMN note TEXT NOT NULL DEFAULT ''"},
		MySQL:  []string{"ALTER TABLE versions ADD COLUMN note CHAR(9) NOT NULL DEFAULT ''"},
	},
	both("column of the state dropped", "ALTER TABLE versiond_state DROP COLUMN seal"),
	both("column of the node's name dropped", "ALTER TABLE versiond_state DROP COLUMN node_id"),
	both("column of changes dropped", "ALTER TABLE version_changes DROP COLUMN changed_by"),
	both("column of dedup records dropped", "ALTER TABLE versiond_idempotency DROP COLUMN outcomes"),
	{Name: "column of records of another type", MySQL: []string{"ALTER TABLE versions MODIFY version_no VARCHAR(99) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL"}},
	{Name: "column of the index of another type", MySQL: []string{"ALTER TABLE versiond_state MODIFY applied_index VARCHAR(99) NOT NULL"}},
	{Name: "column without a default added", MySQL: []string{"ALTER TABLE versions ADD COLUMN note CHAR(9) NOT NULL"}},
	{Name: "primary key dropped", MySQL: []string{"ALTER TABLE versions DROP PRIMARY KEY"}},
	{Name: "another table refers to the records", Harmless: true, MySQL: []string{
		"DROP TABLE IF EXISTS versions_referrer", "CREATE TABLE versions_referrer LIKE versions",
		"ALTER TABLE versions_referrer ADD FOREIGN KEY (id) REFERENCES versions (id)", "INSERT INTO versions_referrer SELECT * FROM versions"}},
}

var triggers = []Kind{
	{
		Name:   "trigger that changes what is written",
		SQLite: []string{"CREATE TRIGGER versions_somebody AFTER INSERT ON versions BEGIN UPDATE versions SET version_no = 'forged' WHERE id = NEW.id; END"},
		MySQL:  []string{"CREATE TRIGGER versions_somebody BEFORE INSERT ON versions FOR EACH ROW SET NEW.version_no = 'forged'"},
	},
	{
		Name:   "trigger that refuses what is written",
		SQLite: []string{"CREATE TRIGGER versions_somebody BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no'); END"},
		MySQL:  []string{"CREATE TRIGGER versions_somebody BEFORE INSERT ON versions FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"},
	},
}

var rows = []Kind{
	both("records changed", "UPDATE versions SET version_no = 'forged'"),
	both("records moved on", "UPDATE versions SET version_no = 'forged', revision = revision + 1"),
	both("records withdrawn", "UPDATE versions SET withdrawn = 1"),
	both("attributes that are none", "UPDATE versions SET attributes = '['"),
	both("a share that cannot be", "UPDATE versions SET rollout_percent = 101"),
	{Name: "records with revisions that cannot be", SQLite: []string{"UPDATE versions SET revision = -1"}},
	{
		Name:   "records renamed",
		SQLite: []string{"UPDATE versions SET id = 'forged-' || id WHERE id NOT LIKE 'forged-%'"},
		MySQL:  []string{"UPDATE versions SET id = CONCAT('forged-', id) WHERE id NOT LIKE 'forged-%'"},
	},
	both("a record added", "DELETE FROM versions WHERE id = 'forged'", "INSERT INTO versions (id, version_no, platform, revision) VALUES ('forged', '1', 'linux', 1)"),
	both("records deleted, and their index set back", "DELETE FROM versions", "UPDATE versiond_state SET applied_index = 1, applied_term = 1"),
	both("a change added", "DELETE FROM version_changes WHERE revision = 1", "INSERT INTO version_changes (revision, op, id, platform) VALUES (1, 'delete', 'forged', 'linux')"),
	both("a dedup record added", "DELETE FROM versiond_idempotency WHERE revision = 1", "INSERT INTO versiond_idempotency (revision, key_hash, request_hash, outcomes) VALUES (1, X'6b', X'72', X'11')"),
}
