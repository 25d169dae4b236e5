package dao_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
)

// texts are the columns that people read, and how many characters each takes.
var texts = map[string]string{
	"versions.id": "128", "versions.version_no": "64", "versions.platform": "64",
	"versiond_state.cluster_id": "64", "versiond_state.node_id": "64", "versiond_state.store_id": "64",
	"versiond_state.checksum": "96", "versiond_state.shape": "64", "versiond_state.seal": "64",
}

// testTexts breaks when a SQL client shows an operator hex in place of words, or when they would be compared otherwise
// than byte for byte.
func (s *store) testTexts(t *testing.T) {
	s.mustCreate(t)
	rows, err := s.DB.Raw(s.columns).Rows()
	require.NoError(t, err)
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var column, kind string
		require.NoError(t, rows.Scan(&column, &kind))
		got[column] = kind
	}
	for column, size := range texts {
		require.Equal(t, s.textType(size), got[column], column)
	}
}

// oldMySQLTables and oldSQLiteTables are how development versions of before made them.
var oldMySQLTables = []string{
	"CREATE TABLE versions (id VARBINARY(128) NOT NULL PRIMARY KEY, version_no VARBINARY(256) NOT NULL, platform VARBINARY(256) NOT NULL, " +
		"revision BIGINT UNSIGNED NOT NULL, KEY versions_platform (platform)) ENGINE=InnoDB",
	"CREATE TABLE versiond_state (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, cluster_id VARBINARY(64) NOT NULL, node_id VARBINARY(64) NOT NULL, " +
		"store_id VARBINARY(64) NOT NULL, applied_index BIGINT UNSIGNED NOT NULL, applied_term BIGINT UNSIGNED NOT NULL, restoring TINYINT UNSIGNED NOT NULL, " +
		"checksum VARBINARY(96) NOT NULL, shape VARBINARY(64) NOT NULL, seal VARBINARY(64) NOT NULL) ENGINE=InnoDB",
	"CREATE TABLE versiond_idempotency (revision BIGINT UNSIGNED NOT NULL PRIMARY KEY, key_hash VARBINARY(16) NOT NULL, " +
		"request_hash VARBINARY(16) NOT NULL, outcomes VARBINARY(16384) NOT NULL) ENGINE=InnoDB",
}

var oldSQLiteTables = []string{
	"CREATE TABLE versions (id TEXT NOT NULL PRIMARY KEY, version_no TEXT NOT NULL, platform TEXT NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID",
	"CREATE INDEX versions_platform ON versions (platform)",
	"CREATE TABLE versiond_state (id INTEGER NOT NULL PRIMARY KEY, cluster_id TEXT NOT NULL, node_id TEXT NOT NULL, store_id TEXT NOT NULL, " +
		"applied_index INTEGER NOT NULL, applied_term INTEGER NOT NULL, restoring INTEGER NOT NULL, checksum TEXT NOT NULL, shape TEXT NOT NULL, seal TEXT NOT NULL) STRICT",
	"CREATE TABLE versiond_idempotency (revision INTEGER NOT NULL PRIMARY KEY, key_hash BLOB NOT NULL, request_hash BLOB NOT NULL, outcomes BLOB NOT NULL) STRICT",
}

// testOldForm breaks when a node does not go on with the tables that a version of before made.
func (s *store) testOldForm(t *testing.T) {
	ctx := t.Context()
	if s.CreateDatabase != nil {
		require.NoError(t, s.CreateDatabase(ctx))
	}
	for _, statement := range s.oldTables {
		require.NoError(t, s.DB.Exec(statement).Error, statement)
	}
	shape, err := dao.ReadShape(s.DB)
	require.NoError(t, err)
	left := model.StoreState{Identity: identity, Applied: restoredAt, Checksum: checksum, Shape: shape}.Sealed()
	require.NoError(t, s.DB.Exec("INSERT INTO versiond_state (id, cluster_id, node_id, store_id, applied_index, applied_term, restoring, checksum, shape, seal) VALUES (1, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
		left.Cluster, left.Node, left.Store, left.Applied.Index, left.Applied.Term, string(left.Checksum), left.Shape, left.Seal).Error)

	require.Equal(t, left, s.mustState(t))
	require.NoError(t, s.CheckShape(ctx, left))
	s.mustChange(t, model.Changes{Upserts: []model.Version{version("a", 1), version("é ", 2), version("b", 3)}, DedupRecords: someDedupRecords(1, 3)})
	s.mustChange(t, model.Changes{Upserts: []model.Version{version("a", 4)}, Deletes: []string{"b"}, ForgetThrough: someDedupRecords(1, 1)[0].Revision})
	got, err := s.Get(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, version("a", 4), got)
	require.Equal(t, []string{"a", "é "}, s.mustIDs(t))
	require.Equal(t, someDedupRecords(2, 2), s.mustRemembered(t))

	require.NoError(t, s.BeginRestore(ctx, identity))
	require.NoError(t, s.DeleteAll(ctx))
	require.NoError(t, s.InsertBatch(ctx, []model.Version{version("whole", 1)}))
	require.NoError(t, s.FinishRestore(ctx, identity, restoredAt, checksum))
	require.Equal(t, []string{"whole"}, s.mustIDs(t))
}
