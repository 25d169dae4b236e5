package dao_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
)

// someMemories makes memories whose every byte is one that text columns would change or refuse.
func someMemories(from, count int) []model.Memory {
	list := make([]model.Memory, count)
	for i := range list {
		n := from + i
		list[i] = model.Memory{Revision: uint64(n)<<12 + 1, Outcomes: strings.Repeat("\x00\xff'\\", n%5+1)}
		copy(list[i].Key[:], fmt.Sprintf("\x00\xff%c%d", byte(n), n))
		list[i].Request[15] = 0xfe
	}
	return list
}

func (s *store) mustRemembered(t *testing.T) (list []model.Memory) {
	t.Helper()
	require.NoError(t, s.ForEachMemory(t.Context(), func(m model.Memory) error { list = append(list, m); return nil }))
	return list
}

func (s *store) mustChange(t *testing.T, changes dao.Changes) {
	t.Helper()
	from := s.mustState(t).Applied
	require.NoError(t, s.apply(t.Context(), identity.Store, from, after(from), changes))
}

// testMemories breaks when what is remembered does not move with the records, or comes back otherwise.
func (s *store) testMemories(t *testing.T) {
	s.mustCreate(t)
	require.Empty(t, s.mustRemembered(t))
	s.mustChange(t, dao.Changes{Memories: someMemories(1, 2500)})
	require.Equal(t, someMemories(1, 2500), s.mustRemembered(t))
	s.mustChange(t, dao.Changes{Memories: someMemories(2501, 10), ForgetThrough: someMemories(2505, 1)[0].Revision})
	require.Equal(t, someMemories(2506, 5), s.mustRemembered(t))

	from := s.mustState(t).Applied
	wrong := model.Position{Index: from.Index + 1, Term: from.Term}
	require.ErrorIs(t, s.apply(t.Context(), identity.Store, wrong, after(wrong), dao.Changes{Memories: someMemories(9000, 1), ForgetThrough: 1 << 40}), model.ErrStateMoved)
	require.Equal(t, someMemories(2506, 5), s.mustRemembered(t), "a refused apply must leave all as it was")
}

// testLargeMemories breaks when a statement grows beyond what the server takes.
func (s *store) testLargeMemories(t *testing.T) {
	s.mustCreate(t)
	large := someMemories(1, 1500)
	for i := range large {
		large[i].Outcomes = strings.Repeat("\x00\\", 5500)
	}
	require.NoError(t, s.InsertMemories(t.Context(), large))
	require.Equal(t, large, s.mustRemembered(t))
}

// testMemoriesInViews breaks when a snapshot remembers something else than its records say.
func (s *store) testMemoriesInViews(t *testing.T) {
	s.mustCreate(t)
	s.mustChange(t, dao.Changes{Memories: someMemories(1, 10)})
	view := s.mustOpenView(t, t.Context())
	s.mustChange(t, dao.Changes{Memories: someMemories(11, 3), ForgetThrough: someMemories(4, 1)[0].Revision})
	page, err := view.Memories(t.Context(), 0, 4)
	require.NoError(t, err)
	require.Equal(t, someMemories(1, 4), page)
	page, err = view.Memories(t.Context(), page[3].Revision, 100)
	require.NoError(t, err)
	require.Equal(t, someMemories(5, 6), page)
}

// testMemoriesRestored breaks when a loaded snapshot leaves memories of before.
func (s *store) testMemoriesRestored(t *testing.T) {
	s.mustCreate(t)
	s.mustChange(t, dao.Changes{Memories: someMemories(1, 6000)}) // more than one batch of DeleteAll
	require.NoError(t, s.BeginRestore(t.Context(), identity))
	require.NoError(t, s.DeleteAll(t.Context()))
	require.Empty(t, s.mustRemembered(t))
	require.NoError(t, s.InsertMemories(t.Context(), someMemories(7, 20)))
	require.NoError(t, s.InsertMemories(t.Context(), someMemories(7, 3)), "a batch whose answer was lost is written again")
	require.NoError(t, s.FinishRestore(t.Context(), identity, restoredAt, checksum))
	require.Equal(t, someMemories(7, 20), s.mustRemembered(t))
}

// testMemoriesWithoutTable breaks when a node would retry for ever on a table that somebody dropped.
func (s *store) testMemoriesWithoutTable(t *testing.T) {
	s.mustCreate(t)
	drop := func() { require.NoError(t, s.DB.Exec("DROP TABLE versiond_memories").Error) }
	drop()
	from := s.mustState(t).Applied
	require.ErrorIs(t, s.apply(t.Context(), identity.Store, from, after(from), dao.Changes{Memories: someMemories(1, 1)}), model.ErrStateMoved)
	require.ErrorIs(t, s.DeleteAll(t.Context()), model.ErrStateMoved)
	require.ErrorIs(t, s.InsertMemories(t.Context(), someMemories(1, 1)), model.ErrStateMoved)
	s.mustCreate(t)
	require.Empty(t, s.mustRemembered(t))
	s.mustChange(t, dao.Changes{Memories: someMemories(1, 1)})
	require.Len(t, s.mustRemembered(t), 1)

	view := s.mustOpenView(t, t.Context())
	require.NoError(t, view.Close())
}
