package dao_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
)

// testView breaks when a snapshot would hold effects of entries after its own, or when a snapshot
// that is being written holds up the applier.
func (s *store) testView(t *testing.T) {
	s.mustCreate(t)
	versions := manyVersions(2000)
	s.mustApply(t, versions)
	view := s.mustOpenView(t, t.Context())
	want := s.mustState(t)

	for i := range 50 { // also before the view's first page
		s.mustApply(t, []model.Version{version(fmt.Sprintf("new%d", i), 1)}, versions[i].ID)
	}
	require.Equal(t, want, view.State())
	require.Equal(t, idsOf(versions), mustIDs(t, view))
	s.mustApply(t, []model.Version{version("newer", 1)})
	require.Equal(t, idsOf(versions), mustIDs(t, view), "the second look must be as the first")
	page, err := view.Page(t.Context(), model.ListOptions{Platform: "linux", Limit: 10})
	require.NoError(t, err)
	require.Empty(t, page)

	require.NoError(t, view.Close())
	require.NoError(t, view.Close(), "closing twice")
	_, err = view.Page(t.Context(), model.ListOptions{Limit: 1})
	require.Error(t, err)
	require.Len(t, s.mustIDs(t), len(versions)+1)
}

// testViewContext breaks when a view dies with the deadline that was meant for opening it.
func (s *store) testViewContext(t *testing.T) {
	s.mustCreate(t)
	s.mustApply(t, []model.Version{version("a", 1)})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	view := s.mustOpenView(t, ctx)
	cancel()
	require.Equal(t, []string{"a"}, mustIDs(t, view))

	_, err := s.OpenView(ctx)
	require.ErrorIs(t, err, context.Canceled)
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err = s.OpenView(expired)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, context.Canceled)
}

// testViewMissing breaks when a snapshot of a store that is gone is taken for an empty one, or when a
// view that failed to open keeps its connection.
func (s *store) testViewMissing(t *testing.T) {
	s.mustCreate(t)
	require.NoError(t, s.drop(t.Context()))
	for range 40 { // more than there are connections
		_, err := s.OpenView(t.Context())
		require.ErrorIs(t, err, model.ErrNoState)
	}
}

func (s *store) mustOpenView(t *testing.T, ctx context.Context) *dao.View {
	t.Helper()
	view, err := s.OpenView(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { _ = view.Close() })
	return view
}
