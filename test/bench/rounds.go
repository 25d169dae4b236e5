package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"versiond/test/load/measure"
)

// restAfter is how long a system has after its turn to finish what it put off, before the next one has its own.
const restAfter = 500 * time.Millisecond

// part is what one system does in one cell.
type part struct {
	cell   cell
	system *measure.System
	tally  measure.Tally
	rates  []float64 // of each round
}

// runGroups measures group by group, in each of them round by round, and in each round every cell and every system in
// turn. Each round has another order: what stands beside whom makes up to a tenth.
func runGroups(ctx context.Context, o options, groups [][]cell, systems []*measure.System, r *result, stderr io.Writer) error {
	for _, group := range groups {
		parts, err := partsOf(ctx, o, group, systems, stderr)
		if err != nil {
			return err
		}
		if err := runRounds(ctx, o, parts); err != nil {
			return err
		}
		for _, p := range parts {
			r.note(p)
		}
	}
	return nil
}

// partsOf returns what is to be done, in the order of the table.
func partsOf(ctx context.Context, o options, group []cell, systems []*measure.System, stderr io.Writer) (parts []*part, err error) {
	for _, c := range group {
		if !o.selects(c.title()) {
			continue
		}
		fmt.Fprintln(stderr, c.title())
		for _, s := range systems {
			takes, err := c.takes(ctx, s)
			if err != nil {
				return nil, err
			}
			if takes {
				parts = append(parts, &part{cell: c, system: s})
			}
		}
	}
	return parts, nil
}

func runRounds(ctx context.Context, o options, parts []*part) error {
	order := slices.Clone(parts)
	for round := range o.rounds {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, p := range order {
			load := measure.Load{Workers: p.cell.workers, Duration: o.duration, Turn: round, Work: p.cell.work}
			if err := p.run(ctx, load); err != nil {
				return fmt.Errorf("%s, %s: %w", p.system.Name, p.cell.title(), err)
			}
			<-time.After(restAfter)
		}
	}
	return nil
}

func (p *part) run(ctx context.Context, load measure.Load) error {
	run := load.Run
	if p.cell.beside != nil {
		run = func(ctx context.Context, s *measure.System) (measure.Tally, error) {
			return p.cell.beside(ctx, load, s)
		}
	}
	tally, err := run(ctx, p.system)
	p.tally.Add(tally)
	p.rates = append(p.rates, tally.Rate())
	return err
}
