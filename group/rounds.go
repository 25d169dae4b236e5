package group

import (
	"context"
	"sync"
	"time"
)

// Rounds lets many callers share one round of asking others. A caller is served only by a round that
// begins after it called, so what the round finds out is never older than the call. All methods may
// be called from any goroutine.
type Rounds[T any] struct {
	run     func(context.Context) (T, error)
	observe RoundObserver
	ctx     context.Context // of the owner: rounds outlive the callers that began them

	timeout time.Duration // of one round
	pace    time.Duration // between the beginnings of rounds that are shared

	mu   sync.Mutex
	next *round[T] // which callers that come now will share
	busy bool
}

type round[T any] struct {
	callers int // that share the round, those that have left included
	done    chan struct{}
	value   T
	err     error
}

// RoundObserver is told of every round that has ended: how many callers shared it, how long it took
// and what went wrong.
type RoundObserver func(callers int, took time.Duration, err error)

// NewRounds makes Rounds that end with ctx and tell observe of each round, before its callers go on. run must end with
// its context, which a round has for timeout.
func NewRounds[T any](ctx context.Context, timeout time.Duration, run func(context.Context) (T, error), observe RoundObserver) *Rounds[T] {
	return &Rounds[T]{run: run, observe: observe, ctx: ctx, timeout: timeout}
}

// Pace lets a round that follows a shared one begin no sooner than pace after it began, so that more share it.
// It must be called before Do.
func (r *Rounds[T]) Pace(pace time.Duration) { r.pace = pace }

// Do returns what the next round finds out, or the context's error when that ends first. Where its deadline is further
// away than the round that goes on and the next one can be, nothing else is waited for: that would cost a timer.
func (r *Rounds[T]) Do(ctx context.Context) (T, error) {
	mine := r.join()
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) > 2*r.timeout+r.pace {
		<-mine.done
		return mine.value, mine.err
	}
	select {
	case <-mine.done:
		return mine.value, mine.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (r *Rounds[T]) join() *round[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &round[T]{done: make(chan struct{})}
	}
	r.next.callers++
	if !r.busy {
		r.busy = true
		go r.runAll() // ends with the last caller that waits
	}
	return r.next
}

func (r *Rounds[T]) runAll() {
	for current := r.take(); current != nil; current = r.take() {
		began := time.Now()
		current.value, current.err = r.runOnce()
		r.observe(current.callers, time.Since(began), current.err)
		close(current.done)
		if rest := r.pace - time.Since(began); current.callers > 1 && rest > 0 {
			Pause(r.ctx, rest)
		}
	}
}

func (r *Rounds[T]) runOnce() (T, error) {
	ctx, cancel := context.WithTimeout(r.ctx, r.timeout)
	defer cancel()
	return r.run(ctx)
}

func (r *Rounds[T]) take() *round[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	current := r.next
	r.next, r.busy = nil, current != nil
	return current
}
