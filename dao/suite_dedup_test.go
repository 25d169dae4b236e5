package dao_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// someDedupRecords makes dedup records whose every byte is one that text columns would change or refuse.
func someDedupRecords(from, count int) []model.DedupRecord {
	list := make([]model.DedupRecord, count)
	for i := range list {
		n := from + i
		list[i] = model.DedupRecord{Revision: uint64(n)<<12 + 1, Outcomes: strings.Repeat("\x00\xff'\\", n%5+1)}
		copy(list[i].Key[:], fmt.Sprintf("\x00\xff%c%d", byte(n), n))
		list[i].Request[15] = 0xfe
	}
	return list
}

func (s *store) mustRemembered(t *testing.T) (list []model.DedupRecord) {
	t.Helper()
	require.NoError(t, s.ForEachDedupRecord(t.Context(), func(m model.DedupRecord) error { list = append(list, m); return nil }))
	return list
}

func (s *store) mustChange(t *testing.T, changes model.Changes) {
	t.Helper()
	from := s.mustState(t).Applied
	require.NoError(t, s.apply(t.Context(), identity.Store, from, after(from), changes))
}

// testDedupRecords breaks when what is remembered does not move with the records, or comes back otherwise.
func (s *store) testDedupRecords(t *testing.T) {
	s.mustCreate(t)
	require.Empty(t, s.mustRemembered(t))
	s.mustChange(t, model.Changes{DedupRecords: someDedupRecords(1, 2500)})
	require.Equal(t, someDedupRecords(1, 2500), s.mustRemembered(t))
	s.mustChange(t, model.Changes{DedupRecords: someDedupRecords(2501, 10), Forget: model.Range{Through: someDedupRecords(2505, 1)[0].Revision}})
	require.Equal(t, someDedupRecords(2506, 5), s.mustRemembered(t))

	from := s.mustState(t).Applied
	wrong := model.Position{Index: from.Index + 1, Term: from.Term}
	require.ErrorIs(t, s.apply(t.Context(), identity.Store, wrong, after(wrong), model.Changes{DedupRecords: someDedupRecords(9000, 1), Forget: model.Range{Through: 1 << 40}}), model.ErrStateMoved)
	require.Equal(t, someDedupRecords(2506, 5), s.mustRemembered(t), "a refused apply must leave all as it was")
}

// testLargeDedupRecords breaks when a statement grows beyond what the server takes.
func (s *store) testLargeDedupRecords(t *testing.T) {
	s.mustCreate(t)
	large := someDedupRecords(1, 1500)
	for i := range large {
		large[i].Outcomes = strings.Repeat("\x00\\", 5500)
	}
	require.NoError(t, s.InsertDedupRecords(t.Context(), large))
	require.Equal(t, large, s.mustRemembered(t))
}

// testDedupRecordsInViews breaks when a snapshot remembers something else than its records say.
func (s *store) testDedupRecordsInViews(t *testing.T) {
	s.mustCreate(t)
	s.mustChange(t, model.Changes{DedupRecords: someDedupRecords(1, 10)})
	view := s.mustOpenView(t, t.Context())
	s.mustChange(t, model.Changes{DedupRecords: someDedupRecords(11, 3), Forget: model.Range{Through: someDedupRecords(4, 1)[0].Revision}})
	page, err := view.DedupRecords(t.Context(), 0, 4)
	require.NoError(t, err)
	require.Equal(t, someDedupRecords(1, 4), page)
	page, err = view.DedupRecords(t.Context(), page[3].Revision, 100)
	require.NoError(t, err)
	require.Equal(t, someDedupRecords(5, 6), page)
}

// testDedupRecordsRestored breaks when a loaded snapshot leaves dedup records of before.
func (s *store) testDedupRecordsRestored(t *testing.T) {
	s.mustCreate(t)
	s.mustChange(t, model.Changes{DedupRecords: someDedupRecords(1, 6000)}) // more than one batch of DeleteAll
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.DeleteAll(t.Context()))
	require.Empty(t, s.mustRemembered(t))
	require.NoError(t, s.InsertDedupRecords(t.Context(), someDedupRecords(7, 20)))
	require.NoError(t, s.InsertDedupRecords(t.Context(), someDedupRecords(7, 3)), "a batch whose answer was lost is written again")
	require.NoError(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum, 0))
	require.Equal(t, someDedupRecords(7, 20), s.mustRemembered(t))
}

// testDedupRecordsWithoutTable breaks when a node would retry for ever on a table that somebody dropped.
func (s *store) testDedupRecordsWithoutTable(t *testing.T) {
	s.mustCreate(t)
	drop := func() { require.NoError(t, s.DB.Exec("DROP TABLE versiond_idempotency").Error) }
	drop()
	from := s.mustState(t).Applied
	require.ErrorIs(t, s.apply(t.Context(), identity.Store, from, after(from), model.Changes{DedupRecords: someDedupRecords(1, 1)}), model.ErrStateMoved)
	require.ErrorIs(t, s.DeleteAll(t.Context()), model.ErrStateMoved)
	require.ErrorIs(t, s.InsertDedupRecords(t.Context(), someDedupRecords(1, 1)), model.ErrStateMoved)
	s.mustCreate(t)
	require.Empty(t, s.mustRemembered(t))
	s.mustChange(t, model.Changes{DedupRecords: someDedupRecords(1, 1)})
	require.Len(t, s.mustRemembered(t), 1)

	view := s.mustOpenView(t, t.Context())
	require.NoError(t, view.Close())
}
