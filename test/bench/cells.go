package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"versiond/test/load/measure"
)

// preloaded is how many records reads choose from.
const preloaded = 1000

// cell is one line of the table: a kind of work and how many clients do it.
type cell struct {
	name    string
	workers int
	work    measure.Work
	// ours marks what etcd has no like of.
	ours bool
}

// title names the cell.
func (c cell) title() string { return fmt.Sprintf("%s, %d clients", c.name, c.workers) }

// cells returns what is measured. The id of every write is new: to versiond it is a create.
func cells() []cell {
	var all []cell
	for _, workers := range []int{1, 16, 64, 256} {
		all = append(all, cell{name: "write", workers: workers, work: write})
	}
	for _, level := range []measure.Level{measure.None, measure.Leader, measure.Linearizable} {
		all = append(all, cell{name: "read " + string(level), workers: 64, work: readAt(level), ours: level == measure.Leader})
	}
	return append(all, cell{name: "mixed", workers: 64, work: mixed})
}

func write(c measure.Client, worker, number int, _ *rand.Rand) error {
	return c.Write(fmt.Sprintf("w%d-%d-%x", worker, number, rand.Uint64()), "1.0."+fmt.Sprint(number))
}

func readAt(level measure.Level) measure.Work {
	return func(c measure.Client, _, _ int, random *rand.Rand) error {
		return c.Read(readID(random.IntN(preloaded)), level)
	}
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
	for _, address := range addressesOf(s) {
		c, err := s.Dial(ctx, address)
		if err != nil {
			return err
		}
		defer c.Close()
		for i := range preloaded {
			if address == s.Nodes[0].Address {
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

func addressesOf(s *measure.System) (addresses []string) {
	for _, n := range s.Nodes {
		addresses = append(addresses, n.Address)
	}
	return addresses
}

// runCells measures cell by cell, in each of them round by round, and in each round every system in
// turn; every other round goes the other way.
func runCells(ctx context.Context, o options, systems []*measure.System, r *result, stderr io.Writer) error {
	for _, s := range systems {
		if err := preload(ctx, s); err != nil {
			return err
		}
	}
	for _, c := range cells() {
		if !strings.Contains(c.title(), o.only) {
			continue
		}
		fmt.Fprintln(stderr, c.title())
		taking := slices.DeleteFunc(slices.Clone(systems), func(s *measure.System) bool { return c.ours && s.Name == measure.Etcd })
		tallies, err := c.run(ctx, o, slices.Clone(taking))
		if err != nil {
			return err
		}
		for _, s := range taking {
			r.note(c, s, tallies[s])
		}
	}
	return nil
}

func (c cell) run(ctx context.Context, o options, systems []*measure.System) (map[*measure.System]*measure.Tally, error) {
	tallies := map[*measure.System]*measure.Tally{}
	for round := range o.rounds {
		for _, s := range systems {
			load := measure.Load{Workers: c.workers, Duration: o.duration, Turn: round, Work: c.work}
			tally, err := load.Run(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			if tallies[s] == nil {
				tallies[s] = &measure.Tally{}
			}
			tallies[s].Add(tally)
		}
		slices.Reverse(systems)
	}
	return tallies, nil
}
