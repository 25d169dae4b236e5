package controller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever waits on the context of a request is let go when its time is over, or its client is gone, as by any other
// context, and so is what was derived from it.
func TestTimeoutEndsAsAnyContextDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		parent, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		ctx, cancel := withTimeout(parent, time.Second)
		defer cancel()
		deadline, bounded := ctx.Deadline()
		require.True(t, bounded)
		require.Equal(t, time.Now().Add(time.Second), deadline)
		require.NoError(t, ctx.Err())
		require.Equal(t, "value", ctx.Value(key{}))
		derived, cancelDerived := context.WithTimeout(ctx, time.Hour)
		defer cancelDerived()
		<-derived.Done()
		require.Equal(t, deadline, time.Now())
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)

		left, cancelLeft := withTimeout(parent, time.Second)
		defer cancelLeft()
		leave()
		<-left.Done()
		require.ErrorIs(t, left.Err(), context.Canceled)
	})
}

// A context that was given up is over for whoever asks it then, also where nobody had asked before.
func TestTimeoutIsOverOnceCancelled(t *testing.T) {
	for _, waited := range []bool{true, false} {
		ctx, cancel := withTimeout(t.Context(), time.Hour)
		if waited {
			require.NoError(t, ctx.Err())
		}
		cancel()
		cancel()
		<-ctx.Done()
		require.Error(t, ctx.Err())
	}
}
