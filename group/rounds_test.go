package group

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// heldRounds is a run function whose rounds, numbered from 1, end when the test says so.
type heldRounds struct {
	began atomic.Int64
	end   chan error
}

func newHeldRounds() *heldRounds { return &heldRounds{end: make(chan error)} }

func (h *heldRounds) run(ctx context.Context) (int64, error) {
	n := h.began.Add(1)
	select {
	case err := <-h.end:
		return n, err
	case <-ctx.Done():
		return n, ctx.Err()
	}
}

// roundTimeout is longer than any test's rounds.
const roundTimeout = time.Hour

func newRounds(ctx context.Context, run func(context.Context) (int64, error)) *Rounds[int64] {
	return NewRounds(ctx, roundTimeout, run, func(int, time.Duration, error) {})
}

type answer struct {
	value int64
	err   error
}

// ask calls Do beside the test and returns a channel that gets what it returned.
func ask(ctx context.Context, r *Rounds[int64]) chan answer {
	answers := make(chan answer, 1)
	go func() {
		value, err := r.Do(ctx)
		answers <- answer{value, err}
	}()
	return answers
}

// This is what linearizable reads rest on: a round that began before the caller called may have asked
// its quorum before a write that the caller knows of. Nobody may be served by such a round.
func TestNobodyIsServedByAnEarlierRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldRounds()
		r := newRounds(t.Context(), h.run)
		first := ask(t.Context(), r)
		synctest.Wait()
		require.EqualValues(t, 1, h.began.Load())
		late := ask(t.Context(), r)
		synctest.Wait()
		h.end <- nil
		synctest.Wait()
		require.Equal(t, answer{value: 1}, <-first)
		require.Empty(t, late, "the late caller was served by the round that was under way")
		h.end <- nil
		require.Equal(t, answer{value: 2}, <-late)
	})
}

// The same under load, where calls and rounds meet at every possible moment.
func TestNobodyIsServedByAnEarlierRoundUnderLoad(t *testing.T) {
	var clock atomic.Int64
	r := newRounds(t.Context(), func(context.Context) (int64, error) {
		began := clock.Add(1)
		runtime.Gosched()
		return began, nil
	})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 300 {
				called := clock.Add(1)
				if began, err := r.Do(t.Context()); err != nil || began <= called {
					t.Errorf("called at %d and served by a round that began at %d (%v)", called, began, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Without sharing, every read would cost a quorum round of its own.
func TestOneRoundServesAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldRounds()
		r := newRounds(t.Context(), h.run)
		first := ask(t.Context(), r)
		synctest.Wait()
		var waiting []chan answer
		for range 50 {
			waiting = append(waiting, ask(t.Context(), r))
		}
		synctest.Wait()
		h.end <- nil
		h.end <- nil
		require.Equal(t, answer{value: 1}, <-first)
		for _, answers := range waiting {
			require.Equal(t, answer{value: 2}, <-answers)
		}
		synctest.Wait()
		require.EqualValues(t, 2, h.began.Load(), "a round that nobody waits for was begun")
	})
}

// A client that gives up must be let go at once, and must not take the others' round with it.
func TestCallerLeavesWithItsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldRounds()
		r := newRounds(t.Context(), h.run)
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		leaves := ask(hurried, r)
		synctest.Wait()
		waits, stays := ask(hurried, r), ask(t.Context(), r)
		require.ErrorIs(t, (<-leaves).err, context.DeadlineExceeded)
		require.ErrorIs(t, (<-waits).err, context.DeadlineExceeded)
		h.end <- nil
		h.end <- nil
		require.Equal(t, answer{value: 2}, <-stays)
	})
}

// Whoever has time enough waits for the round alone, which must therefore end, and the one that goes on before it.
func TestPatientCallerWaitsForTwoRoundsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRounds(t.Context(), newHeldRounds().run)
		patient, cancel := context.WithTimeout(t.Context(), 2*roundTimeout+time.Second)
		defer cancel()
		began := time.Now()
		first := ask(patient, r)
		synctest.Wait()
		second := ask(patient, r)
		require.Equal(t, answer{value: 1, err: context.DeadlineExceeded}, <-first)
		require.Equal(t, answer{value: 2, err: context.DeadlineExceeded}, <-second)
		require.Equal(t, 2*roundTimeout, time.Since(began))
	})
}

// A failed round must reach all who shared it, and nobody who comes after it: a leader that could not
// be confirmed once may be confirmed by the next round.
func TestFailureBelongsToOneRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldRounds()
		r := newRounds(t.Context(), h.run)
		failure := errors.New("no quorum")
		first := ask(t.Context(), r)
		synctest.Wait()
		second := ask(t.Context(), r)
		synctest.Wait()
		h.end <- failure
		require.ErrorIs(t, (<-first).err, failure)
		h.end <- nil
		require.Equal(t, answer{value: 2}, <-second)
		third := ask(t.Context(), r)
		h.end <- nil
		require.Equal(t, answer{value: 3}, <-third, "rounds go on after everybody was served")
	})
}

// A node that stops must not leave its readers hanging in a round that nobody ends.
func TestRoundsEndWithTheirOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		owner, stop := context.WithCancel(t.Context())
		h := newHeldRounds()
		r := newRounds(owner, h.run)
		first := ask(t.Context(), r)
		synctest.Wait()
		second := ask(t.Context(), r)
		synctest.Wait()
		stop()
		require.ErrorIs(t, (<-first).err, context.Canceled)
		require.ErrorIs(t, (<-second).err, context.Canceled)
	})
}

// What operators read of shared rounds: everybody who shared one is counted, once.
func TestObserverSeesWhoSharedARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var callers []int
		var took []time.Duration
		h := newHeldRounds()
		r := NewRounds(t.Context(), roundTimeout, h.run, func(n int, d time.Duration, err error) {
			require.NoError(t, err)
			callers, took = append(callers, n), append(took, d)
		})
		first := ask(t.Context(), r)
		synctest.Wait()
		second, third := ask(t.Context(), r), ask(t.Context(), r)
		<-time.After(time.Second)
		h.end <- nil
		<-first
		h.end <- nil
		<-second
		<-third
		require.Equal(t, []int{1, 2}, callers)
		require.Equal(t, []time.Duration{time.Second, 0}, took)
	})
}
