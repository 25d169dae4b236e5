package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"versiond/test/load/measure"
)

const (
	// watchersPerNode is how many watchers each node has in the cells with watchers. Each follows a prefix of its own.
	watchersPerNode = 1000
	// seenPerSecond is how much is written while the time is taken until a watcher knows.
	seenPerSecond = 1000
)

// watchedPrefix is what the ids begin with that the i-th watcher of each node follows, unwatchedPrefix what nobody follows.
func watchedPrefix(i int) string   { return fmt.Sprintf("t%03d-", i) }
func unwatchedPrefix(i int) string { return fmt.Sprintf("u%03d-", i) }

// newID returns a new id with one of the prefixes.
func newID(prefix func(int) string) string {
	return fmt.Sprintf("%s%x", prefix(rand.IntN(watchersPerNode)), rand.Uint64())
}

func writeWatched(c measure.Client, _, number int, _ *rand.Rand) error {
	return c.Write(newID(watchedPrefix), versionOf(number))
}

func writeUnwatched(c measure.Client, _, number int, _ *rand.Rand) error {
	return c.Write(newID(unwatchedPrefix), versionOf(number))
}

// besideWatchers runs a load beside the watchers, so many of whom are to be told of each write, and to know of it soon after.
func besideWatchers(toldEach int) func(context.Context, measure.Load, *measure.System) (measure.Tally, error) {
	return func(ctx context.Context, load measure.Load, s *measure.System) (measure.Tally, error) {
		return runWatched(ctx, load, s, toldEach, nil)
	}
}

func runWatched(ctx context.Context, load measure.Load, s *measure.System, toldEach int, seen func(node int, id string)) (t measure.Tally, err error) {
	watchers, err := measure.Watch{PerNode: watchersPerNode, Prefix: watchedPrefix, Seen: seen}.Start(ctx, s)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, watchers.Stop()) }()
	if t, err = load.Run(ctx, s); err != nil {
		return t, err
	}
	return t, watchers.Await(ctx, toldEach*t.Operations)
}

// untilSeen measures how long after the request for a write watchers at the other nodes read of it, at a steady rate.
func untilSeen(ctx context.Context, load measure.Load, s *measure.System) (measure.Tally, error) {
	n := notices{sent: map[string]sending{}}
	load.PerSecond = seenPerSecond
	load.Work = func(c measure.Client, worker, number int, _ *rand.Rand) error {
		return c.Write(n.send(load.NodeOf(worker)), versionOf(number))
	}
	tally, err := runWatched(ctx, load, s, measure.NodesCount, n.seen)
	tally.Time(n.took)
	return tally, err
}

// notices is what was sent, and how long it took until others knew.
type notices struct {
	mu   sync.Mutex
	sent map[string]sending
	took []time.Duration
}

type sending struct {
	at   time.Time
	node int
}

// send returns the id of a write that is sent to a node at once.
func (n *notices) send(node int) string {
	id := newID(watchedPrefix)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent[id] = sending{time.Now(), node}
	return id
}

func (n *notices) seen(node int, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.sent[id]; ok && s.node != node {
		n.took = append(n.took, time.Since(s.at))
	}
}

// memoryCell is the name by which -only selects the memory of a watcher.
const memoryCell = "memory of a watcher"

func (r *result) noteWatchers(ctx context.Context, o options, systems []*measure.System, stderr io.Writer) error {
	if !o.selects(memoryCell) {
		return nil
	}
	fmt.Fprintln(stderr, memoryCell)
	r.WatcherBytes = map[string]int64{}
	for _, s := range systems {
		takes, err := cell{ours: true, asks: asksWatch}.takes(ctx, s)
		if err != nil {
			return err
		}
		if !takes {
			continue
		}
		if r.WatcherBytes[s.Name], err = memoryOfWatchers(ctx, s); err != nil {
			return fmt.Errorf("%s, %s: %w", s.Name, memoryCell, err)
		}
	}
	return nil
}

// memoryOfWatchers returns what a watcher costs a node in resident memory, on average. The nodes have only begun: later the
// memory of what was collected would be used again, and a watcher would seem to cost nothing.
func memoryOfWatchers(ctx context.Context, s *measure.System) (bytes int64, err error) {
	before, err := residentOf(s)
	if err != nil {
		return 0, err
	}
	watchers, err := measure.Watch{PerNode: watchersPerNode, Prefix: watchedPrefix}.Start(ctx, s)
	if err != nil {
		return 0, err
	}
	after, err := residentOf(s)
	return (after - before) / int64(watchersPerNode*len(s.Nodes)), errors.Join(err, watchers.Stop())
}

func residentOf(s *measure.System) (bytes int64, err error) {
	for _, n := range s.Nodes {
		memory, err := n.Memory()
		if err != nil {
			return 0, err
		}
		bytes += memory.Now
	}
	return bytes, nil
}
