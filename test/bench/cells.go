package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"versiond/test/load/measure"
)

// preloaded is how many records reads choose from.
const preloaded = 1000

// The kinds of work, as the table has them.
const (
	workWrite        = "write"
	workNone         = "read none"
	workLeader       = "read leader"
	workLinearizable = "read linearizable"
	workCheck        = "check none"
	workMixed        = "mixed"
	workUnwatched    = "write, nobody watches"
	workWatched      = "write, others are watched"
	workTold         = "write, watched"
	workSeen         = "seen by a watcher"
)

// What cells ask that a versiond of before may not know.
const (
	asksCheck = "/version/check?id=read-0&current=0.9.0&level=none"
	asksWatch = "/version/watch?prefix=t&wait=1ms&level=none"
)

// cell is one line of the table: a kind of work and how many clients do it.
type cell struct {
	name    string
	workers int
	work    measure.Work
	// ours marks what etcd has no like of, and bare what the bare handler does as well.
	ours, bare bool
	// asks is a path that a versiond of before may not know; such a one is left out of the cell.
	asks string
	// beside runs the load beside something; nil runs it alone.
	beside func(ctx context.Context, load measure.Load, s *measure.System) (measure.Tally, error)
}

// title names the cell.
func (c cell) title() string { return fmt.Sprintf("%s, %d clients", c.name, c.workers) }

// takes reports whether a system has a part in the cell.
func (c cell) takes(ctx context.Context, s *measure.System) (bool, error) {
	switch {
	case s.Name == measure.Etcd:
		return !c.ours, nil
	case s.Name == measure.Bare:
		return c.bare, nil
	case c.asks == "" || s.Name == measure.Embedded || s.Name == measure.WithServers:
		return true, nil
	default:
		return s.Knows(ctx, c.asks)
	}
}

// cells returns what is measured, in groups whose cells take turns in each round, as they are compared with each other. The
// id of every write is new: to versiond it is a create.
func cells() [][]cell {
	var all [][]cell
	for _, workers := range []int{1, 16, 64, 256} {
		all = append(all, []cell{{name: workWrite, workers: workers, work: write}})
	}
	return append(all,
		[]cell{
			{name: workNone, workers: 64, work: readAt(measure.None), bare: true},
			{name: workCheck, workers: 64, work: check, ours: true, asks: asksCheck},
		},
		[]cell{{name: workLeader, workers: 64, work: readAt(measure.Leader), ours: true}},
		[]cell{{name: workLinearizable, workers: 64, work: readAt(measure.Linearizable)}},
		[]cell{{name: workMixed, workers: 64, work: mixed}})
}

// watchedCells come last, after the memory was noted: watchers take some that is not for records. The ids that are compared
// differ in one letter: where in its tables a store puts them would be part of the ratio otherwise.
func watchedCells() [][]cell {
	return [][]cell{
		{
			{name: workUnwatched, workers: 64, work: writeUnwatched, ours: true},
			{name: workWatched, workers: 64, work: writeUnwatched, ours: true, asks: asksWatch, beside: besideWatchers(0)},
			{name: workTold, workers: 64, work: writeWatched, ours: true, asks: asksWatch, beside: besideWatchers(measure.NodesCount)},
		},
		{{name: workSeen, workers: 64, ours: true, asks: asksWatch, beside: untilSeen}},
	}
}

func write(c measure.Client, worker, number int, _ *rand.Rand) error {
	return c.Write(fmt.Sprintf("w%d-%d-%x", worker, number, rand.Uint64()), versionOf(number))
}

func versionOf(number int) string { return "1.0." + fmt.Sprint(number) }

func readAt(level measure.Level) measure.Work {
	return func(c measure.Client, _, _ int, random *rand.Rand) error {
		return c.Read(readID(random.IntN(preloaded)), level)
	}
}

// check asks for one of the records that are read, with a version that is older.
func check(c measure.Client, _, _ int, random *rand.Rand) error {
	return c.(measure.Checker).Check(readID(random.IntN(preloaded)), "0.9.0", measure.None)
}

// mixed is 90 linearizable reads to 10 writes.
func mixed(c measure.Client, worker, number int, random *rand.Rand) error {
	if random.IntN(10) == 0 {
		return write(c, worker, number, random)
	}
	return c.Read(readID(random.IntN(preloaded)), measure.Linearizable)
}

func readID(i int) string { return fmt.Sprintf("read-%d", i) }

// preload writes what is read later, and reads it once, so that every node has it.
func preload(ctx context.Context, s *measure.System) error {
	for _, n := range s.Nodes {
		c, err := s.Dial(ctx, n.Address)
		if err != nil {
			return err
		}
		defer c.Close()
		for i := range preloaded {
			if n == s.Nodes[0] {
				err = c.Write(readID(i), "1.0.0")
			} else {
				err = c.Read(readID(i), measure.Linearizable)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
	}
	return nil
}
