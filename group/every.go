package group

import (
	"context"
	"time"
)

// Every is ranged over for what is done again and again: it yields at once and then once an interval, until the
// context ends. Of the times that a slow body misses, none is made up for.
func Every(ctx context.Context, interval time.Duration) func(yield func() bool) {
	return func(yield func() bool) {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for ctx.Err() == nil && yield() {
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	}
}

// Pause waits, and reports whether the context lives on.
func Pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
