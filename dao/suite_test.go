package dao_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/test/damage"
	"versiond/test/harness/servers"
)

// The one suite that every database behind VersionMysqlDao passes. Its cases are in the files
// suite_*_test.go, a method each.

var (
	shared    servers.Shared
	databases atomic.Int64
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = shared.Close()
	os.Exit(code)
}

func TestSuiteOnSQLite(t *testing.T) { runSuite(t, newSQLite) }

func TestSuiteOnMariaDB(t *testing.T) { runSuite(t, newMariaDB) }

func TestSuiteOnMySQL(t *testing.T) {
	runSuite(t, func(t testing.TB) *store { return newStoreOn(t, shared.MySQL(t)) })
}

// TestSuiteOnServerOfOtherDefaults breaks when a setting that an administrator may turn round changes what
// is stored or read, leaves a transaction open, or keeps backups from being read.
func TestSuiteOnServerOfOtherDefaults(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *servers.SQLServer{"MariaDB": servers.MariaDB, "MySQL": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			made := newStoreOn(t, server)
			made.mustCreate(t)
			left := made.mustState(t)
			require.NoError(t, server.TurnDefaults(t.Context()))
			renew(t, made)
			require.NoError(t, made.CheckShape(t.Context(), left), "tables of before")
			runSuite(t, func(t testing.TB) *store { return newStoreOn(t, server) })
		})
	}
}

// store is one empty database of its own. Its methods are the cases of the suite.
type store struct {
	*dao.VersionMysqlDao
	// drop removes the whole database behind the DAO's back; on SQLite, all tables.
	drop func(ctx context.Context) error
	// damage returns the statements that do a kind of damage here.
	damage func(kind damage.Kind) []string
	// columns selects table.column and type of all there are; textType is that of text of so many characters.
	columns  string
	textType func(size string) string
	// oldTables makes tables as a version of before did.
	oldTables []string
}

// onServer returns the store with what is the same on MySQL and MariaDB.
func (s *store) onServer(collation string) *store {
	s.damage = func(kind damage.Kind) []string { return kind.MySQL }
	s.columns = "SELECT CONCAT(table_name, '.', column_name), CONCAT(column_type, ' ', COALESCE(collation_name, '')) FROM information_schema.columns WHERE table_schema = DATABASE()"
	s.textType = func(size string) string { return "varchar(" + size + ") " + collation }
	s.oldTables = oldMySQLTables
	return s
}

func runSuite(t *testing.T, open func(t testing.TB) *store) {
	for name, run := range map[string]func(*store, *testing.T){
		"missing database has no state":     (*store).testMissing,
		"schema and state":                  (*store).testSchemaAndState,
		"ids are compared byte for byte":    (*store).testIDs,
		"page":                              (*store).testPage,
		"for each version":                  (*store).testForEachVersion,
		"contexts end calls":                (*store).testContext,
		"apply":                             (*store).testApply,
		"apply many":                        (*store).testApplyMany,
		"apply is conditional":              (*store).testApplyConditional,
		"apply without tables":              (*store).testApplyWithoutTables,
		"apply without database":            (*store).testApplyWithoutDatabase,
		"only one of two appliers wins":     (*store).testApplyRace,
		"view stands still":                 (*store).testView,
		"view outlives its opening context": (*store).testViewContext,
		"view without state":                (*store).testViewMissing,
		"restore":                           (*store).testRestore,
		"restore interrupted":               (*store).testRestoreInterrupted,
		"restore under an open view":        (*store).testRestoreUnderView,
		"restore without tables":            (*store).testRestoreWithoutTables,
		"restore over unreadable rows":      (*store).testRestoreOverUnreadableRows,
		"dedup records":                     (*store).testDedupRecords,
		"large dedup records":               (*store).testLargeDedupRecords,
		"dedup records in views":            (*store).testDedupRecordsInViews,
		"dedup records restored":            (*store).testDedupRecordsRestored,
		"dedup records without table":       (*store).testDedupRecordsWithoutTable,
		"changes":                           (*store).testChanges,
		"changes in views":                  (*store).testChangesInViews,
		"changes restored":                  (*store).testChangesRestored,
		"queries of the page about SQL":     (*store).testSQLPage,
		"damage is seen and mended":         (*store).testDamage,
		"damage is mended by a new process": (*store).testDamageMeanwhile,
		"damage is named":                   (*store).testDamageIsNamed,
		"work is reported":                  (*store).testWork,
		"columns are readable text":         (*store).testTexts,
		"tables of a version of before":     (*store).testOldForm,
		"details":                           (*store).testDetails,
	} {
		t.Run(name, func(t *testing.T) { run(open(t), t) })
	}
}

func newSQLite(t testing.TB) *store {
	t.Helper()
	gormDB, err := db.OpenSQLite(filepath.Join(t.TempDir(), "versions.db"))
	require.NoError(t, err)
	closeAfter(t, gormDB)
	return &store{
		VersionMysqlDao: &dao.VersionMysqlDao{DB: gormDB},
		damage:          func(kind damage.Kind) []string { return kind.SQLite },
		columns:         "SELECT t.name || '.' || c.name, c.type FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'",
		textType:        func(string) string { return "TEXT" },
		oldTables:       oldSQLiteTables,
		drop: func(ctx context.Context) error {
			return gormDB.WithContext(ctx).Exec("DROP TABLE versions; DROP TABLE versiond_state; DROP TABLE versiond_idempotency; DROP TABLE version_changes").Error
		},
	}
}

func newMariaDB(t testing.TB) *store {
	t.Helper()
	return newStoreOn(t, shared.MariaDB(t))
}

func newStoreOn(t testing.TB, server *servers.SQLServer) *store {
	t.Helper()
	name := fmt.Sprintf("suite%d", databases.Add(1))
	gormDB, create, err := db.OpenMySQL(server.DSN(name), "node1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	closeAfter(t, gormDB)
	s := &store{
		VersionMysqlDao: &dao.VersionMysqlDao{DB: gormDB, CreateDatabase: create},
		drop: func(ctx context.Context) error {
			return server.Exec(ctx, "DROP DATABASE "+name+"_node1")
		},
	}
	return s.onServer(server.Collation())
}

func closeAfter(t testing.TB, gormDB *gorm.DB) {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, db.Close(gormDB)) })
}

var identity = model.Identity{Cluster: "cluster", Node: "node1", Store: "store"}

// checksum is of no records in particular: the DAO keeps it and does not look into it.
const checksum = model.Checksum("1-3-00ff")

// mustCreate makes the schema and a state row at position zero.
func (s *store) mustCreate(t *testing.T) {
	t.Helper()
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.FinishRestore(t.Context(), identity, model.Position{}, checksum, 0))
}

// mustApply applies on top of whatever is applied.
func (s *store) mustApply(t *testing.T, upserts []model.Version, deletes ...string) {
	t.Helper()
	from := s.mustState(t).Applied
	require.NoError(t, s.apply(t.Context(), identity.Store, from, after(from), model.Changes{Upserts: upserts, Deletes: deletes}))
}

// apply applies to a store that is at from and otherwise as it is.
func (s *store) apply(ctx context.Context, storeID string, from, to model.Position, changes model.Changes) error {
	left, _ := s.State(ctx) // where there is none, nothing is to be applied
	left.Store, left.Applied, left.Restoring = storeID, from, false
	becomes := left
	becomes.Applied, becomes.Checksum = to, checksum
	return s.Apply(ctx, left.Sealed(), becomes.Sealed(), changes)
}

// stateOf is a state row with the shape of the tables that are there, as a node writes it.
func (s *store) stateOf(t *testing.T, state model.StoreState) model.StoreState {
	t.Helper()
	state.Shape = s.mustState(t).Shape
	return state.Sealed()
}

func (s *store) mustState(t *testing.T) model.StoreState {
	t.Helper()
	state, err := s.State(t.Context())
	require.NoError(t, err)
	return state
}

// mustIDs reads the ids of all records in short pages.
func (s *store) mustIDs(t *testing.T) []string {
	t.Helper()
	return mustIDs(t, s)
}

type pager interface {
	Page(ctx context.Context, opts model.ListOptions) ([]model.Version, error)
}

func mustIDs(t *testing.T, p pager) []string {
	t.Helper()
	const limit = 700
	var ids []string
	for {
		page, err := p.Page(t.Context(), model.ListOptions{After: last(ids), Limit: limit})
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		for _, v := range page {
			ids = append(ids, v.ID)
		}
		if len(page) < limit {
			return ids
		}
	}
}

func last(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

func after(p model.Position) model.Position {
	return model.Position{Index: p.Index + 1, Term: max(1, p.Term)}
}

func version(id string, revision uint64) model.Version {
	return model.Version{ID: id, VersionNo: "no of " + id, Platform: "linux", Revision: revision}
}

// manyVersions makes short records, in the order of their ids.
func manyVersions(count int) []model.Version {
	versions := make([]model.Version, count)
	for i := range versions {
		versions[i] = version(fmt.Sprintf("record-%06d", i), uint64(i))
		versions[i].Platform = "windows"
	}
	return versions
}

// longVersions makes records whose every field is as long, and as hard to quote, as may be.
func longVersions(count int) []model.Version {
	versions := make([]model.Version, count)
	for i := range versions {
		versions[i] = model.Version{
			ID:        fmt.Sprintf("%0128d", i),
			VersionNo: strings.Repeat("\U0001F600", 64),
			Platform:  strings.Repeat(`'`, 64),
			Revision:  1<<53 - 1 - uint64(i),
		}
	}
	return versions
}

func idsOf(versions []model.Version) []string {
	ids := make([]string, len(versions))
	for i, v := range versions {
		ids[i] = v.ID
	}
	return ids
}
