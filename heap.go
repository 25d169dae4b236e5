package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"versiond/group"
)

const (
	// heapRoomBytes and a quarter of what lives may be allocated between two collections of garbage. By Go's own
	// rule, as much as lives, a node with few records would collect many times a second, and one with millions
	// would take twice the memory that they need. Most of theirs is in tables without pointers, over which a
	// collection does not walk, so it may come more often.
	heapRoomBytes    = 64 << 20
	heapRoomPercent  = 25
	heapLookInterval = time.Second
	// gcPercentDefault is Go's own rule.
	gcPercentDefault = 100
)

// keepHeapRoom adapts the collector to what lives on the heap, until the context ends. Whoever sets GOGC
// or GOMEMLIMIT has decided otherwise.
func keepHeapRoom(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	defer debug.SetGCPercent(gcPercentDefault)
	percent := 0
	for range group.Every(ctx, heapLookInterval) {
		if p := gcPercent(liveHeapBytes()); p < percent*9/10 || p > percent*11/10 {
			percent = p
			debug.SetGCPercent(percent)
		}
	}
}

// gcPercent returns how much may be allocated before the next collection, in percent of what lives.
func gcPercent(live uint64) int {
	const leastLive = 1 << 20 // before the first collection nothing is known to live
	return heapRoomPercent + int(heapRoomBytes*100/max(live, leastLive))
}

func liveHeapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return heapRoomBytes // a runtime that does not tell gets about Go's own rule
	}
	return sample[0].Value.Uint64()
}
