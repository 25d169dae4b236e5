package dao_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

var restoredAt = model.Position{Index: 100, Term: 4}

// testRestore breaks when a loaded snapshot leaves old records, or when its position or mark is wrong.
func (s *store) testRestore(t *testing.T) {
	s.mustCreate(t)
	s.mustApply(t, manyVersions(5500)) // more than one batch of DeleteAll
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.Equal(t, s.stateOf(t, model.StoreState{Identity: identity, Restoring: true}), s.mustState(t))

	err := s.apply(t.Context(), identity.Store, model.Position{}, restoredAt, model.Changes{Upserts: []model.Version{version("x", 1)}})
	require.ErrorIs(t, err, model.ErrStateMoved, "nothing is applied to half a snapshot")

	require.NoError(t, s.DeleteAll(t.Context()))
	require.Empty(t, s.mustIDs(t))
	require.NoError(t, s.DeleteAll(t.Context()), "clearing an empty table")
	snapshot := manyVersions(2500)
	require.NoError(t, s.InsertBatch(t.Context(), snapshot))
	require.NoError(t, s.InsertBatch(t.Context(), snapshot[:10]), "a batch whose answer was lost is written again")
	require.NoError(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0))

	require.Equal(t, s.stateOf(t, model.StoreState{Identity: identity, Applied: restoredAt, Checksum: checksum}), s.mustState(t))
	require.Equal(t, idsOf(snapshot), s.mustIDs(t))
	require.ErrorIs(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0), model.ErrStateMoved, "finishing what is finished")
	s.mustApply(t, []model.Version{version("x", 1)})
}

// testWork breaks when long work on many rows looks like a store that hangs.
func (s *store) testWork(t *testing.T) {
	require.NoError(t, s.ReportWork())
	s.mustCreate(t)
	s.mustApply(t, manyVersions(12_000))
	parts := 0
	ctx := model.WithWork(t.Context(), func() { parts++ })
	require.NoError(t, s.BeginRestore(ctx, identity))
	parts = 0
	require.NoError(t, s.DeleteAll(ctx))
	require.Greater(t, parts, 4)
	parts = 0
	require.NoError(t, s.InsertBatch(ctx, manyVersions(3000)))
	require.Greater(t, parts, 2)
	parts = 0
	require.Error(t, s.DB.WithContext(ctx).Exec("INSERT INTO missing VALUES (1)").Error)
	require.Zero(t, parts, "what failed is no work that is done")
}

// testRestoreInterrupted breaks when a crash during a load leaves records of both attempts, or when
// somebody else's restore can be finished.
func (s *store) testRestoreInterrupted(t *testing.T) {
	require.NoError(t, s.BeginRestore(t.Context(), model.Identity{Cluster: "c", Node: "n", Store: "old"}), "makes its schema")
	require.NoError(t, s.InsertBatch(t.Context(), []model.Version{version("half", 1)}))
	require.ErrorIs(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0), model.ErrStateMoved)
	require.True(t, s.mustState(t).Restoring)

	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.DeleteAll(t.Context()))
	require.NoError(t, s.InsertBatch(t.Context(), []model.Version{version("whole", 1)}))
	require.NoError(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0))
	require.Equal(t, []string{"whole"}, s.mustIDs(t))
	require.Equal(t, s.stateOf(t, model.StoreState{Identity: identity, Applied: restoredAt, Checksum: checksum}), s.mustState(t))
}

// testRestoreUnderView breaks when a restore waits for a snapshot that is being written, or changes
// what that snapshot holds.
func (s *store) testRestoreUnderView(t *testing.T) {
	s.mustCreate(t)
	versions := manyVersions(1500)
	s.mustApply(t, versions)
	view := s.mustOpenView(t, t.Context())
	require.Len(t, mustIDs(t, view), len(versions))

	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.DeleteAll(t.Context()))
	require.NoError(t, s.InsertBatch(t.Context(), []model.Version{version("whole", 1)}))
	require.NoError(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0))
	require.Equal(t, []string{"whole"}, s.mustIDs(t))
	require.Equal(t, idsOf(versions), mustIDs(t, view))
	require.False(t, view.State().Restoring)
}

// testRestoreOverUnreadableRows breaks when a load retries for ever because of rows that nobody can read any more.
func (s *store) testRestoreOverUnreadableRows(t *testing.T) {
	s.mustCreate(t)
	s.mustApply(t, manyVersions(5001)) // the last one is where the second batch of DeleteAll begins
	require.NoError(t, s.InsertChanges(t.Context(), someChanges(1, 5001)))
	require.NoError(t, s.DB.Exec("UPDATE versions SET attributes = '['").Error)
	require.NoError(t, s.DB.Exec("UPDATE version_changes SET attributes = '['").Error)
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.DeleteAll(t.Context()))
	require.Empty(t, s.mustIDs(t))
	require.Empty(t, s.mustKept(t))
}

// testRestoreWithoutTables breaks when a load retries for ever on tables that somebody dropped.
func (s *store) testRestoreWithoutTables(t *testing.T) {
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.drop(t.Context()))
	require.ErrorIs(t, s.DeleteAll(t.Context()), model.ErrStateMoved)
	require.ErrorIs(t, s.InsertBatch(t.Context(), []model.Version{version("a", 1)}), model.ErrStateMoved)
	require.ErrorIs(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0), model.ErrStateMoved)
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.True(t, s.mustState(t).Restoring)
}
