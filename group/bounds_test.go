package group

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A gate that lets one more in, or lets everybody wait, bounds nothing.
func TestGateBoundsThoseInsideAndThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(2, 1)
		require.NoError(t, g.Enter(t.Context()))
		require.NoError(t, g.Enter(t.Context()))
		entered := make(chan error, 1)
		go func() { entered <- g.Enter(t.Context()) }()
		synctest.Wait()
		require.Empty(t, entered, "a third one is inside")
		require.ErrorIs(t, g.Enter(t.Context()), model.ErrTooManyRequests)
		g.Leave()
		require.NoError(t, <-entered)

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, g.Enter(gone), context.Canceled)
		g.Leave()
		require.NoError(t, g.Enter(t.Context()), "one who gave up keeps a place")
	})
}

// Few large items fill memory as well as many small ones do.
func TestCollectorBoundsTheBytesThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		limits := wideLimits()
		limits.WaitingSizeMax = 10
		c := newCollector(limits, h.send)
		require.NoError(t, c.Add(1, 100, 1)) // on its way
		synctest.Wait()
		require.NoError(t, c.Add(2, 100, 1), "one alone may be larger")
		require.ErrorIs(t, c.Add(3, 1, 1), model.ErrTooManyRequests)
		h.releaseAll()
		synctest.Wait()
		require.NoError(t, c.Add(4, 10, 1), "what was sent waits no more")
		c.Close()
	})
}
