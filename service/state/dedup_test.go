package state

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/wire"
)

// 300,000 units are remembered at most, and must not take much more than the 40 MB that the documents say.
func TestDedupRecordsAreBounded(t *testing.T) {
	m := newDedup(DefaultDedupLimits)
	one := wire.PackOutcomes([]model.Outcome{{Code: model.OutcomeDone, Revision: 1}})
	remember := func(i int) {
		record := model.DedupRecord{Revision: model.Revision(uint64(i+1), 0), Outcomes: one}
		record.Key = wire.NewIdempotency(fmt.Sprint(i), &model.Unit{}, false).Key
		m.stage(record)
		if i%200 == 0 {
			if _, forgotten := m.changes(); forgotten.Through != 0 {
				require.Equal(t, m.list[0].Revision, forgotten.From, "the store would look for it among all that were forgotten")
			}
			m.publish()
		}
	}
	before := heapBytes()
	for i := range 3 * DefaultDedupLimits.Units {
		remember(i)
	}
	m.publish()
	used := heapBytes() - before
	require.Len(t, m.list, DefaultDedupLimits.Units)
	require.Len(t, m.places, DefaultDedupLimits.Units)
	t.Logf("%d keys take %d MB", len(m.list), used>>20)
	require.Less(t, used, uint64(64<<20))
}

// A key that the apply does not know any more must not count as decided: the request under it would be done again, and unchecked.
func TestDecidedForgetsWithTheApply(t *testing.T) {
	m := newDedup(DedupLimits{Units: 10, Bytes: 1 << 20, Indexes: 100})
	request := wire.NewIdempotency("k", &model.Unit{}, false)
	m.stage(model.DedupRecord{Idempotency: *request, Revision: model.Revision(5, 0)})
	m.publish()
	require.True(t, m.decided(request, 105))
	require.False(t, m.decided(request, 106))
}
