package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"versiond/test/load/measure"
	"versiond/test/load/synthetic"
)

// written is counted by every write of this process.
var written atomic.Int64

// write makes a record somewhere among those that are there.
func (e *experiment) write(c measure.Client, worker, number int, _ *rand.Rand) error {
	err := c.Write(fmt.Sprintf("%s-%x", synthetic.ID(rand.IntN(e.records)), rand.Uint64()), fmt.Sprintf("1.%d.%d", worker, number))
	if err == nil {
		written.Add(1)
	}
	return err
}

func (e *experiment) load(duration time.Duration) measure.Load {
	return measure.Load{Workers: writers, Duration: duration, Work: e.write}
}

// compareWrites lets the two clusters take turns.
func (e *experiment) compareWrites(ctx context.Context) error {
	full, empty := &measure.Tally{}, &measure.Tally{}
	for range e.rounds {
		for _, each := range []struct {
			system *measure.System
			tally  *measure.Tally
		}{{e.full, full}, {e.empty, empty}} {
			tally, err := e.load(e.duration).Run(ctx, each.system)
			if err != nil {
				return err
			}
			each.tally.Add(tally)
		}
	}
	if n := full.Errors + empty.Errors; n > 0 {
		return fmt.Errorf("%d writes failed: %s%s", n, full.FirstError, empty.FirstError)
	}
	e.added += full.Operations
	e.note("writes a second of 64 clients, without the records", empty.Rate(), 0)
	e.note("the same, with them", full.Rate(), 0)
	e.note("lower by, %", 100*(1-full.Rate()/empty.Rate()), 15)
	return e.noteMemory("peak memory so far, MiB", e.memoryMax())
}

// share is part of a time, and what was written in it.
type share struct {
	time   time.Duration
	writes int64
}

func (s share) rate() float64 { return float64(s.writes) / s.time.Seconds() }

// watched is a time of writing beside something that comes and goes.
type watched struct {
	busy, idle share
	// longest is the longest time for which it went on, times is how often it ended.
	longest time.Duration
	times   int
	// since is when it began that goes on; zero while it does not.
	since time.Time
}

const lookEvery = 50 * time.Millisecond

// watchWrites writes for a while, and on until the thing has come and gone once; it gives up after three times what that may take
// at most. It keeps apart what is written while busy says that the thing goes on and while it does not.
func (e *experiment) watchWrites(ctx context.Context, busy func() (bool, error), most time.Duration) (w watched, err error) {
	bound := 3 * most
	for began := time.Now(); !w.whole() && time.Since(began) < bound; {
		if err := e.watchSome(ctx, busy, &w); err != nil {
			return w, err
		}
	}
	if !w.whole() {
		err = fmt.Errorf("it did not begin and end within %s (%s busy, %s not)", bound, w.busy.time, w.idle.time)
	}
	return w, err
}

func (e *experiment) watchSome(ctx context.Context, busy func() (bool, error), w *watched) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- e.writeSome(ctx) }()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	last, before := time.Now(), written.Load()
	for {
		select {
		case err := <-done:
			return err
		case <-ticker.C:
		}
		is, err := busy()
		if err != nil {
			cancel()
			return errors.Join(err, <-done)
		}
		now, count := time.Now(), written.Load()
		w.add(is, now.Sub(last), count-before)
		w.span(is, now)
		last, before = now, count
	}
}

func (e *experiment) writeSome(ctx context.Context) error {
	tally, err := e.load(e.watch).Run(ctx, e.full)
	e.added += tally.Operations
	if err == nil && tally.Errors > 0 {
		err = fmt.Errorf("%d writes failed: %s", tally.Errors, tally.FirstError)
	}
	return err
}

func (w *watched) add(busy bool, took time.Duration, writes int64) {
	s := &w.idle
	if busy {
		s = &w.busy
	}
	s.time += took
	s.writes += writes
}

// span follows when the thing began.
func (w *watched) span(busy bool, now time.Time) {
	switch {
	case busy && w.since.IsZero():
		w.since = now
	case !busy && !w.since.IsZero():
		w.times++
		w.longest = max(w.longest, now.Sub(w.since))
		w.since = time.Time{}
	}
}

// whole reports whether the thing has gone on from its beginning to its end, and has not for a while.
func (w *watched) whole() bool { return w.times > 0 && w.idle.time > 0 }
