package dao_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// testApply breaks when rows and position do not move together.
func (s *store) testApply(t *testing.T) {
	s.mustCreate(t)
	zero, first, second := model.Position{}, model.Position{Index: 7, Term: 2}, model.Position{Index: 9, Term: 3}
	require.NoError(t, s.apply(t.Context(), identity.Store, zero, first, model.Changes{Upserts: []model.Version{version("a", 1), version("b", 2)}}))
	require.Equal(t, s.stateOf(t, model.StoreState{Identity: identity, Applied: first, Checksum: checksum}), s.mustState(t))

	changed := model.Version{ID: "a", VersionNo: "2", Platform: "mac", Revision: 3}
	require.NoError(t, s.apply(t.Context(), identity.Store, first, second, model.Changes{Upserts: []model.Version{changed, version("c", 4)}, Deletes: []string{"b", "missing"}}))
	require.Equal(t, second, s.mustState(t).Applied)
	require.Equal(t, []string{"a", "c"}, s.mustIDs(t))
	got, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, changed, got)

	require.NoError(t, s.apply(t.Context(), identity.Store, second, second, model.Changes{Upserts: []model.Version{changed}}),
		"a state row that does not change must count as matched")
	require.NoError(t, s.apply(t.Context(), identity.Store, second, model.Position{Index: 10, Term: 3}, model.Changes{}),
		"entries without effect move the position on")
}

// testApplyMany breaks when a long list exceeds what one statement may hold, or loses its tail.
func (s *store) testApplyMany(t *testing.T) {
	s.mustCreate(t)
	versions := longVersions(5001)
	s.mustApply(t, versions)
	require.Equal(t, idsOf(versions), s.mustIDs(t))
	got, err := s.Get(t.Context(), versions[5000].ID)
	require.NoError(t, err)
	require.Equal(t, versions[5000], got)

	s.mustApply(t, versions[:10], idsOf(versions[10:])...)
	require.Equal(t, idsOf(versions[:10]), s.mustIDs(t))
}

// testApplyConditional breaks when an applier whose picture of the store is wrong can still write.
func (s *store) testApplyConditional(t *testing.T) {
	s.mustCreate(t)
	s.mustApply(t, []model.Version{version("a", 1)})
	from := s.mustState(t).Applied
	to := after(from)
	write := func(store string, from model.Position) error {
		return s.apply(t.Context(), store, from, to, model.Changes{Upserts: []model.Version{version("b", 2)}, Deletes: []string{"a"}})
	}
	require.ErrorIs(t, write("another", from), model.ErrStateMoved)
	require.ErrorIs(t, write("STORE", from), model.ErrStateMoved)
	require.ErrorIs(t, write(identity.Store, model.Position{Index: from.Index + 1, Term: from.Term}), model.ErrStateMoved)
	require.ErrorIs(t, write(identity.Store, model.Position{Index: from.Index, Term: from.Term + 1}), model.ErrStateMoved)
	require.Equal(t, from, s.mustState(t).Applied)
	require.Equal(t, []string{"a"}, s.mustIDs(t), "a refused apply must leave no rows behind")

	require.NoError(t, s.DB.Exec("DELETE FROM versiond_state").Error)
	require.ErrorIs(t, write(identity.Store, from), model.ErrStateMoved)
	require.Equal(t, []string{"a"}, s.mustIDs(t))
}

// testApplyWithoutTables breaks when the applier would retry for ever on a table that somebody dropped.
func (s *store) testApplyWithoutTables(t *testing.T) {
	for _, table := range []string{"versions", "versiond_state"} {
		require.NoError(t, s.EnsureSchema(t.Context()))
		require.NoError(t, s.BeginRestore(t.Context(), identity))
		require.NoError(t, s.FinishRestore(t.Context(), identity, model.Position{}, checksum, 0))
		require.NoError(t, s.DB.Exec("DROP TABLE "+table).Error)
		err := s.apply(t.Context(), identity.Store, model.Position{}, after(model.Position{}), model.Changes{Upserts: []model.Version{version("a", 1)}})
		require.ErrorIs(t, err, model.ErrStateMoved, table)
		require.NotErrorIs(t, err, model.ErrStoreUnavailable, table)
	}
}

// testApplyWithoutDatabase breaks when a dropped database is not built anew.
func (s *store) testApplyWithoutDatabase(t *testing.T) {
	s.mustCreate(t)
	require.NoError(t, s.drop(t.Context()))
	err := s.apply(t.Context(), identity.Store, model.Position{}, after(model.Position{}), model.Changes{Upserts: []model.Version{version("a", 1)}})
	require.ErrorIs(t, err, model.ErrStateMoved)
	s.mustCreate(t)
	require.Empty(t, s.mustIDs(t))
}

// testApplyRace breaks when two processes on one database can both apply an entry.
func (s *store) testApplyRace(t *testing.T) {
	s.mustCreate(t)
	const appliers, rounds = 4, 10
	var won atomic.Int64
	var group sync.WaitGroup
	for n := range appliers {
		group.Go(func() {
			for round := range rounds {
				from := model.Position{Index: uint64(round)}
				err := s.apply(t.Context(), identity.Store, from, model.Position{Index: from.Index + 1},
					model.Changes{Upserts: []model.Version{version(fmt.Sprintf("%d-%d", round, n), 1)}})
				if err == nil {
					won.Add(1)
				}
			}
		})
	}
	group.Wait()
	require.Len(t, s.mustIDs(t), int(won.Load()), "each round that was won has one row, others none")
	require.Equal(t, uint64(won.Load()), s.mustState(t).Applied.Index)
	require.NotZero(t, won.Load())
}
