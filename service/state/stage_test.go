package state

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
	put := func(s *stage, revision int) Change {
		c := Change{Version: model.Version{ID: fmt.Sprint(random.IntN(8)), Revision: uint64(revision)}, Deleted: random.IntN(3) == 0, Updated: random.IntN(2) == 0}
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
