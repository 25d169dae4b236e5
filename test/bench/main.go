// Command bench compares versiond, embedded and with MySQL and Redis, with etcd on this machine.
//
//	go run ./test/bench                              # a table
//	go run ./test/bench -write docs/benchmarks.md    # and the same in the document
//	go run ./test/bench -versiond old=FILE           # and another versiond beside this one
//
// All systems run at once, three nodes each; the loads take turns, one system after the other in every
// cell of the table, so that what disturbs the machine disturbs all. A system whose programs are not
// installed is left out, and said to be.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"versiond/test/load/measure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	duration    time.Duration
	rounds      int
	only        *regexp.Regexp // nil for all
	system      *regexp.Regexp // nil for all
	dir         string
	json, write string
	others      []other
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.duration, "duration", 2*time.Second, "how long each load of a round takes")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of each cell; of three, every node gets its share of a single client")
	flags.Func("only", "measure only the cells whose name, such as \"write, 64 clients\", matches this regular expression", matching(&o.only))
	flags.Func("system", "start only the systems whose name, such as \"versiond embedded\", matches this regular expression", matching(&o.system))
	flags.StringVar(&o.dir, "dir", "", "folder for the state of all systems; a temporary one when not set")
	flags.StringVar(&o.json, "json", "", "file for the result as JSON")
	flags.StringVar(&o.write, "write", "", "document whose section of benchmarks is replaced; other versionds are left out of it")
	flags.Func("versiond", "NAME=PATH: measure another versiond too, and compare each row with it; may be given again", func(text string) error {
		name, path, _ := strings.Cut(text, "=")
		return o.addOther(name, path)
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.rounds < 1 || o.duration <= 0 || flags.NArg() > 0 {
		return o, errors.New("-rounds and -duration must be above 0, and there are no arguments")
	}
	return o, nil
}

// matching returns what reads a regular expression.
func matching(into **regexp.Regexp) func(text string) error {
	return func(text string) (err error) {
		*into, err = regexp.Compile(text)
		return err
	}
}

// selects reports whether a cell of this name is to be measured.
func (o options) selects(name string) bool { return o.only == nil || o.only.MatchString(name) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if len(args) == 3 && args[0] == bareCommand {
		return serveBare(ctx, args[1], args[2])
	}
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "versiond-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	result, err := compare(ctx, o, dir, stderr)
	if err != nil {
		return err
	}
	return publish(o, result, stdout)
}

func publish(o options, r *result, stdout io.Writer) error {
	text := r.markdown()
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	if o.json != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.write != "" {
		return measure.ReplaceSection(o.write, "bench", r.forPage().markdown())
	}
	return nil
}

// compare starts what is installed and runs every cell.
func compare(ctx context.Context, o options, dir string, stderr io.Writer) (r *result, err error) {
	r = &result{Began: time.Now().UTC(), Duration: o.duration, Rounds: o.rounds}
	if r.Machine, err = measure.Describe(dir); err != nil {
		return nil, err
	}
	systems, err := startAll(o, dir, r, stderr)
	defer func() {
		for _, s := range systems {
			err = errors.Join(err, s.Close())
		}
	}()
	if err != nil {
		return nil, err
	}
	return r, r.measure(ctx, o, dir, systems, stderr)
}

// measure runs every cell, and notes what memory was needed for those without watchers.
func (r *result) measure(ctx context.Context, o options, dir string, systems []*measure.System, stderr io.Writer) (err error) {
	if err := r.noteWatchers(ctx, o, systems, stderr); err != nil {
		return err
	}
	for _, s := range systems {
		if err := preload(ctx, s); err != nil {
			return err
		}
	}
	bare, err := startBare(ctx, o, dir, systems[0])
	if err != nil {
		return err
	}
	all := systems
	if bare != nil {
		defer func() { err = errors.Join(err, bare.Close()) }()
		all = append(slices.Clone(systems), bare)
		r.Systems = append(r.Systems, systemNote{Name: bare.Name, Version: bare.Version})
	}
	if err := runGroups(ctx, o, cells(), all, r, stderr); err != nil {
		return err
	}
	if err := r.noteMemory(systems); err != nil {
		return err
	}
	return runGroups(ctx, o, watchedCells(), systems, r, stderr)
}
