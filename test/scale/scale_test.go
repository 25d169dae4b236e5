package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/load/synthetic"
)

// A backup that lacks records, or has them in another order than that of their ids, would be refused or
// measured for more than it is.
func TestSyntheticRecords(t *testing.T) {
	const count = 2500
	view, total, last := synthetic.View{Count: count}, 0, ""
	for after := ""; ; after = last {
		page, err := view.Page(t.Context(), after, 1000)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			require.Greater(t, v.ID, last)
			last = v.ID
		}
		total += len(page)
	}
	require.Equal(t, count, total)
	require.Equal(t, synthetic.ID(count-1), last)
}

// What is written beside a thing and without it is told apart, and a thing that has not ended is not
// counted: its time is not known.
func TestWatched(t *testing.T) {
	var w watched
	now := time.Now()
	for _, busy := range []bool{false, true, true, false, true, false, true} {
		now = now.Add(time.Second)
		writes := int64(100)
		if busy {
			writes = 80
		}
		w.add(busy, time.Second, writes)
		w.span(busy, now)
	}
	require.True(t, w.whole())
	require.Equal(t, 2, w.times)
	require.Equal(t, 2*time.Second, w.longest)
	require.InDelta(t, 80, w.busy.rate(), 0.1)
	require.InDelta(t, 100, w.idle.rate(), 0.1)
}

// A bound that was read the wrong way round would call a miss a success.
func TestVerdict(t *testing.T) {
	require.Equal(t, "20.0 | met", figure{value: 19, most: 20}.verdict())
	require.Equal(t, "20.0 | missed", figure{value: 20.5, most: 20}.verdict())
	require.Equal(t, "— |", figure{value: 5}.verdict())
}
