package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A small heap that is collected all the time costs processor time, and a large one that may double memory.
func TestHeapRoom(t *testing.T) {
	room := func(live uint64) uint64 { return live * uint64(gcPercent(live)) / 100 }
	require.InDelta(t, heapRoomBytes, room(4<<20), 4<<20)
	require.InDelta(t, heapRoomBytes+64<<20, room(256<<20), 4<<20)
	require.Positive(t, gcPercent(0))
	require.Positive(t, gcPercent(1<<40))
}
