package state

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// indexBytesMax is what a record may cost in the index, an id of a usual length included: the heap may
// grow to twice that before it is collected, and the whole is to stay below 150.
const indexBytesMax = 85

// A registry of millions of records must fit; an index that has just grown is the worst case.
func TestRevisionIndexMemory(t *testing.T) {
	var worst float64
	for _, records := range []int{100_000, 115_000, 130_000, 150_000, 200_000} {
		ids := make([]string, records)
		for i := range ids {
			ids[i] = fmt.Sprintf("package-%012d", i) // 20 bytes
		}
		before := heapBytes()
		x := newIndex()
		for i, id := range ids {
			x.set(id, Mark{Revision: uint64(i), hash: uint64(i)}, "linux")
		}
		worst = max(worst, float64(heapBytes()-before)/float64(records))
		require.Equal(t, records, x.len())
		runtime.KeepAlive(ids)
	}
	t.Logf("at most %.0f bytes a record", worst)
	require.Less(t, worst, float64(indexBytesMax))
}

func heapBytes() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
