package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A refused batch must not show in the database, in the revision index or in a cache.
func TestRefusedBatchesChangeNothing(t *testing.T) {
	a := mustApplied(t)
	a.group(t, []model.Command{add("old", "1"), add("gone", "1")})
	before := a.rows(t)

	a.BeginAtomicInternal()
	require.Equal(t, model.OutcomeDone, a.AddVersionInternal(add("a", "1"), model.Revision(2, 0), nil).Code)
	require.Equal(t, model.OutcomeDone, a.UpdateVersionInternal(update("a", "2", model.Revision(2, 0)), model.Revision(2, 1), nil).Code)
	require.Equal(t, model.OutcomeDone, a.UpdateVersionInternal(update("old", "2", 0), model.Revision(2, 2), nil).Code)
	require.Equal(t, model.OutcomeDone, a.DeleteVersionInternal(remove("gone", 0), model.Revision(2, 3), nil).Code)
	require.Equal(t, model.OutcomeNotFound, a.DeleteVersionInternal(remove("gone", 0), model.Revision(2, 4), nil).Code)
	a.EndAtomicInternal(false)

	require.Equal(t, model.OutcomeAlreadyExists, a.AddVersionInternal(add("gone", "2"), model.Revision(2, 5), nil).Code, "what comes after it sees nothing of it")
	a.group(t)
	require.Equal(t, before, a.rows(t))
	_, cached := a.redis.memory.Get("a")
	require.False(t, cached)
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster), "the checksum counts what was taken back")
}
