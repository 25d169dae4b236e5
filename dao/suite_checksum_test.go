package dao_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// testChecksumOfOlderRelease breaks when an update of the program cannot take the database of the
// release before it into use, and when that release, should it come back, is then accused of having
// left wrong records.
func (s *store) testChecksumOfOlderRelease(t *testing.T) {
	ctx := t.Context()
	s.mustCreate(t)
	s.mustApply(t, []model.Version{version("a", 1)})
	require.NoError(t, s.DB.Exec("ALTER TABLE versiond_state DROP COLUMN checksum").Error)
	at := s.mustState(t).Applied
	require.Equal(t, model.StoreState{Identity: identity, Applied: at}, s.mustState(t))
	view := s.mustOpenView(t, ctx)
	require.Equal(t, at, view.State().Applied)
	require.NoError(t, view.Close())

	require.ErrorIs(t, s.SetChecksum(ctx, "another", at, checksum), model.ErrStateMoved)
	require.NoError(t, s.SetChecksum(ctx, identity.Store, at, checksum))
	require.Equal(t, model.StoreState{Identity: identity, Applied: at, Checksum: checksum}, s.mustState(t))
	require.Equal(t, []string{"a"}, s.mustIDs(t))

	require.NoError(t, s.DB.Exec("UPDATE versiond_state SET applied_index = applied_index + 1").Error)
	require.Empty(t, s.mustState(t).Checksum, "the checksum of another index was taken for that of this one")
	require.NoError(t, s.BeginRestore(ctx, identity))
	require.Empty(t, s.mustState(t).Checksum, "a store that is being restored has none")
}
