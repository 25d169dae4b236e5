package service

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// Whatever an all-or-nothing batch had staged when it was refused, taking it back must leave the stage as
// if the batch had never been: rows, their order, and whether they are new.
func TestTakenBackChangesLeaveNoTrace(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	put := func(s *stage, revision int) change {
		c := change{Version: model.Version{ID: fmt.Sprint(random.IntN(8)), Revision: uint64(revision)}, deleted: random.IntN(3) == 0, updated: random.IntN(2) == 0}
		s.put(c)
		return c
	}
	for round := range 500 {
		tried, plain := newStage(), newStage()
		for step := range random.IntN(6) {
			keep := random.IntN(2) == 0
			tried.begin()
			for i := range random.IntN(12) {
				if c := put(tried, round*1000+step*100+i); keep {
					plain.put(c)
				}
			}
			tried.end(keep)
			plain.put(put(tried, round*1000+step*100+99)) // a command of no batch
		}
		require.Equal(t, plain.changes, tried.changes)
		require.Equal(t, plain.order, tried.order)
		require.Equal(t, plain.take(), tried.take())
	}
}

// A refused batch must not show in the database, in the revision index or in a cache.
func TestRefusedBatchesChangeNothing(t *testing.T) {
	a := mustApplied(t)
	a.group(t, []model.Command{add("old", "1"), add("gone", "1")})
	before := a.rows(t)

	a.BeginAtomicInternal()
	require.Equal(t, model.OutcomeDone, a.AddVersionInternal(add("a", "1"), model.Revision(2, 0)).Code)
	require.Equal(t, model.OutcomeDone, a.UpdateVersionInternal(update("a", "2", model.Revision(2, 0)), model.Revision(2, 1)).Code)
	require.Equal(t, model.OutcomeDone, a.UpdateVersionInternal(update("old", "2", 0), model.Revision(2, 2)).Code)
	require.Equal(t, model.OutcomeDone, a.DeleteVersionInternal(remove("gone", 0), model.Revision(2, 3)).Code)
	require.Equal(t, model.OutcomeNotFound, a.DeleteVersionInternal(remove("gone", 0), model.Revision(2, 4)).Code)
	a.EndAtomicInternal(false)

	require.Equal(t, model.OutcomeAlreadyExists, a.AddVersionInternal(add("gone", "2"), model.Revision(2, 5)).Code, "what comes after it sees nothing of it")
	a.group(t)
	require.Equal(t, before, a.rows(t))
	_, cached := a.redis.memory.Get("a")
	require.False(t, cached)
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster), "the checksum counts what was taken back")
}
