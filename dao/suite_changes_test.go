package dao_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// someChange makes a change; those in a row differ in what they have.
func someChange(n int) model.Change {
	c := model.Change{Revision: uint64(n) << 12, Op: model.ChangeCreate, ID: fmt.Sprint("id-", n%3), VersionNo: "1.é", Platform: "ios"}
	switch n % 4 {
	case 1:
		c.Op, c.WasPlatform, c.At, c.By = model.ChangeUpdate, "android's", 1_700_000_000_001+int64(n), "ci"
	case 2:
		c.Op, c.VersionNo, c.At, c.By = model.ChangeDelete, "", 253402300799999, "o'ps"
	case 3:
		c.Details, c.At = detailed("", 0).Details, 1
	}
	return c
}

func someChanges(from, count int) []model.Change {
	list := make([]model.Change, count)
	for i := range list {
		list[i] = someChange(from + i)
	}
	return list
}

func (s *store) mustKept(t *testing.T) (list []model.Change) {
	t.Helper()
	require.NoError(t, s.ForEachChange(t.Context(), func(c model.Change) error { list = append(list, c); return nil }))
	return list
}

// testChanges breaks when a change comes back otherwise than it was written, does not move with the records, or stays when it
// is let go.
func (s *store) testChanges(t *testing.T) {
	s.mustCreate(t)
	require.Empty(t, s.mustKept(t))
	s.mustChange(t, model.Changes{Log: someChanges(1, 2500)})
	require.Equal(t, someChanges(1, 2500), s.mustKept(t))
	s.mustChange(t, model.Changes{Log: someChanges(2501, 2), LetGo: model.Range{From: someChange(3).Revision, Through: someChange(2490).Revision}, LetGoToo: []uint64{someChange(2492).Revision, someChange(2494).Revision}})
	want := append([]model.Change{someChange(1), someChange(2), someChange(2491), someChange(2493)}, someChanges(2495, 8)...)
	require.Equal(t, want, s.mustKept(t))

	left := s.mustState(t)
	err := s.apply(t.Context(), identity.Store, after(left.Applied), after(after(left.Applied)), model.Changes{Log: someChanges(9000, 1), LetGo: model.Range{Through: 1 << 40}})
	require.ErrorIs(t, err, model.ErrStateMoved)
	require.Equal(t, want, s.mustKept(t), "a refused apply must leave all as it was")

	becomes := left
	becomes.Applied, becomes.ChangesFrom = after(left.Applied), 77
	again := func() error {
		return s.Apply(t.Context(), left, becomes.Sealed(), model.Changes{Log: someChanges(3000, 5)})
	}
	require.NoError(t, again())
	require.ErrorIs(t, again(), model.ErrStateMoved, "it is written again when the answer was lost")
	require.EqualValues(t, 77, s.mustState(t).ChangesFrom)

	var words []string
	require.NoError(t, s.DB.Raw("SELECT op FROM version_changes WHERE changed_by = 'ci' AND changed_at > '2023-11-14 22:13:20' ORDER BY revision").Scan(&words).Error)
	require.Equal(t, []string{"update", "update", "update"}, words[:3], "the time is one that people can compare")
	var nulls int64
	require.NoError(t, s.DB.Raw("SELECT count(*) FROM version_changes WHERE was_platform IS NULL AND changed_at IS NULL AND changed_by IS NULL AND attributes IS NULL").Scan(&nulls).Error)
	require.NotZero(t, nulls, "what is absent is NULL to other programs")
}

// testChangesInViews breaks when a history, or what a watcher reads, is of two moments, or out of order.
func (s *store) testChangesInViews(t *testing.T) {
	s.mustCreate(t)
	s.mustChange(t, model.Changes{Log: someChanges(1, 10)})
	view := s.mustOpenView(t, t.Context())
	s.mustChange(t, model.Changes{Log: someChanges(11, 3), LetGo: model.Range{From: someChange(1).Revision, Through: someChange(4).Revision}})
	page, err := view.ChangesAfter(t.Context(), 0, 4)
	require.NoError(t, err)
	require.Equal(t, someChanges(1, 4), page)
	page, err = view.ChangesAfter(t.Context(), page[3].Revision, 100)
	require.NoError(t, err)
	require.Equal(t, someChanges(5, 6), page)

	at, err := view.ChangesAt(t.Context(), []uint64{someChange(10).Revision, someChange(11).Revision, someChange(3).Revision, 5})
	require.NoError(t, err)
	require.ElementsMatch(t, []model.Change{someChange(3), someChange(10)}, at)
}

// testChangesRestored breaks when a loaded snapshot leaves changes of before, or forgets from where on they are kept.
func (s *store) testChangesRestored(t *testing.T) {
	s.mustCreate(t)
	s.mustChange(t, model.Changes{Log: someChanges(1, 6000)}) // more than one batch of DeleteAll
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.Zero(t, s.mustState(t).ChangesFrom)
	require.NoError(t, s.DeleteAll(t.Context()))
	require.Empty(t, s.mustKept(t))
	require.NoError(t, s.InsertChanges(t.Context(), someChanges(7, 20)))
	require.NoError(t, s.InsertChanges(t.Context(), someChanges(7, 3)), "a batch whose answer was lost is written again")
	require.NoError(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 99))
	require.Equal(t, someChanges(7, 20), s.mustKept(t))
	require.EqualValues(t, 99, s.mustState(t).ChangesFrom)
	view := s.mustOpenView(t, t.Context())
	require.EqualValues(t, 99, view.ChangesFrom())
}
