package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	applied "versiond/service/state"
	"versiond/test/harness/cluster"
)

// What nodes let go of while far more is written than they keep must not look like a loss. If this fails, a chaos run of some
// hours fails with nothing wrong.
func TestWhatIsLetGoOfIsNotMissed(t *testing.T) {
	const rounds, writes, calm, busy = 16, 15_000, 3000, 8
	records, p := applied.New(applied.DefaultDedupLimits, applied.DefaultChangeLimits), NewPast()
	records.KeepChanges(1)
	random := rand.New(rand.NewPCG(5, 5))
	revision, lacking := uint64(1), 0
	var table []entry
	for round := range rounds {
		var asked []*cluster.Write
		for range writes {
			revision++
			id := fmt.Sprint("calm-", random.IntN(calm))
			if random.IntN(8) == 0 {
				id = fmt.Sprint("busy-", round, "-", random.IntN(busy))
			}
			w := told(id, model.ChangeUpdate, fmt.Sprint(revision), revision)
			_, there := records.Get(id)
			if !there {
				w.Op = model.ChangeCreate
			}
			records.Stage(applied.Change{Version: model.Version{ID: id, VersionNo: w.VersionNo, Platform: platform, Revision: revision}, Updated: there}, nil)
			table = keep(p, table, records.Changes())
			records.Publish()
			asked = append(asked, w)
		}
		require.Empty(t, p.check(slices.Clone(table), records.ChangesFrom(), asked), "round %d, %d changes kept", round, len(table))
		lacking += writes - p.New()
	}
	require.Positive(t, lacking, "some were let go of in the round in which they came")
	require.Greater(t, len(table), changesMax-changesBlock-window)
}

func keep(p *Past, table []entry, changes model.Changes) []entry {
	if r := changes.LetGo; r.Through > 0 {
		table = slices.Delete(table, firstAfter(table, r.From-1), firstAfter(table, r.Through))
	}
	for _, revision := range changes.LetGoToo {
		at := firstAfter(table, revision-1)
		table = slices.Delete(table, at, at+1)
	}
	for i := range changes.Log {
		table = append(table, p.entry(&changes.Log[i]))
	}
	return table
}
