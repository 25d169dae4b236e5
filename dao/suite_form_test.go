package dao_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// texts are the columns that people read, and how many characters each takes.
var texts = map[string]string{
	"versions.id": "128", "versions.version_no": "64", "versions.platform": "64",
	"versions.scheme": "16", "versions.min_version_no": "64", "versions.from_version_no": "64",
	"version_changes.id": "128", "version_changes.op": "8", "version_changes.version_no": "64", "version_changes.platform": "64",
	"version_changes.was_platform": "64", "version_changes.changed_by": "128", "version_changes.scheme": "16",
	"versiond_state.cluster_id": "64", "versiond_state.node_id": "64", "versiond_state.store_id": "64",
	"versiond_state.checksum": "96", "versiond_state.shape": "96", "versiond_state.seal": "64",
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

// testOldForm breaks when a node goes on with tables that lack what this release keeps there, or cannot make them anew.
func (s *store) testOldForm(t *testing.T) {
	ctx := t.Context()
	if s.CreateDatabase != nil {
		require.NoError(t, s.CreateDatabase(ctx))
	}
	for _, statement := range s.oldTables {
		require.NoError(t, s.DB.Exec(statement).Error, statement)
	}
	left := model.StoreState{Identity: identity, Applied: restoredAt, Checksum: checksum, Shape: "as that release read it"}.Sealed()
	require.NoError(t, s.DB.Exec("INSERT INTO versiond_state (id, cluster_id, node_id, store_id, applied_index, applied_term, restoring, checksum, shape, seal) VALUES (1, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
		left.Cluster, left.Node, left.Store, left.Applied.Index, left.Applied.Term, string(left.Checksum), left.Shape, left.Seal).Error)

	require.Equal(t, left, s.mustState(t), "whose it is can be read")
	require.ErrorIs(t, s.CheckShape(ctx, left), model.ErrStoreDiffers)
	require.NoError(t, s.BeginRestore(ctx, identity))
	require.NoError(t, s.DeleteAll(ctx))
	require.NoError(t, s.InsertBatch(ctx, []model.Version{version("whole", 1)}))
	require.NoError(t, s.FinishRestore(ctx, identity, restoredAt, checksum, 0))
	require.Equal(t, []string{"whole"}, s.mustIDs(t))
	require.NoError(t, s.CheckShape(ctx, s.mustState(t)))
}

// detailed is a record that has everything a record may have.
func detailed(id string, revision uint64) model.Version {
	percent := uint8(0)
	v := version(id, revision)
	v.Details = &model.Details{
		Scheme: "semver", MinVersionNo: "1.0.0-rc.1+é", FromVersionNo: "0.9", Mandatory: true, RolloutPercent: &percent, Withdrawn: true,
		Attributes: map[string]string{"url": "https://example.org/?a=1&b=<2>", "notes": "first line\nsecond \"line\" \\ 'x' é 版本", "empty": ""},
	}
	return v
}

// testDetails breaks when a record comes back from the store otherwise than it was written, or keeps what was cleared.
func (s *store) testDetails(t *testing.T) {
	s.mustCreate(t)
	whole, plain := detailed("whole", 1), version("plain", 2)
	require.Equal(t, model.DetailsAll, whole.DetailNames(), "a field that detailed leaves out is in no test of the store")
	half := version("half", 3)
	half.Details = &model.Details{Withdrawn: true}
	s.mustApply(t, []model.Version{whole, plain, half})
	for _, want := range []model.Version{whole, plain, half} {
		got, err := s.Get(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	many, err := s.GetMany(t.Context(), []string{"whole", "nobody", "half", "plain"})
	require.NoError(t, err)
	require.ElementsMatch(t, []model.Version{whole, plain, half}, many)
	page, err := s.Page(t.Context(), model.ListOptions{Limit: 3})
	require.NoError(t, err)
	require.Equal(t, []model.Version{half, plain, whole}, page)

	cleared, set := version("whole", 4), detailed("plain", 5)
	s.mustApply(t, []model.Version{cleared, set})
	many, err = s.GetMany(t.Context(), []string{"whole", "plain"})
	require.NoError(t, err)
	require.ElementsMatch(t, []model.Version{cleared, set}, many)
	fewer := detailed("plain", 6)
	fewer.Details = &model.Details{MinVersionNo: "1.2.3"}
	s.mustApply(t, []model.Version{fewer})
	got, err := s.Get(t.Context(), "plain")
	require.NoError(t, err)
	require.Equal(t, fewer, got, "what is cleared alone")
	var nulls int64
	require.NoError(t, s.DB.Raw("SELECT count(*) FROM versions WHERE id = 'whole' AND scheme IS NULL AND min_version_no IS NULL AND from_version_no IS NULL AND "+
		"mandatory IS NULL AND rollout_percent IS NULL AND withdrawn IS NULL AND attributes IS NULL").Scan(&nulls).Error)
	require.Equal(t, int64(1), nulls, "what is absent is NULL to other programs")
}
