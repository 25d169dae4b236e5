package group_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"versiond/group"
)

// A body that misses times goes on with the next one, and does not run several times in a row.
func TestEveryMakesUpForNoMissedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 6500*time.Millisecond)
		defer cancel()
		var at []time.Duration
		for range group.Every(ctx, time.Second) {
			if at = append(at, time.Since(began)); len(at) == 2 {
				group.Pause(ctx, 2500*time.Millisecond)
			}
		}
		const s = time.Second
		assert.Equal(t, []time.Duration{0, s, 3500 * time.Millisecond, 4 * s, 5 * s, 6 * s}, at)
		assert.Equal(t, 6500*time.Millisecond, time.Since(began), "it ends with the context")
	})
}

func TestPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.True(t, group.Pause(ctx, time.Second/2))
		assert.False(t, group.Pause(ctx, time.Hour))
		assert.Equal(t, time.Second, time.Since(began))
	})
}
