// Command scale measures what a versiond cluster does with many records, in each mode: how a node
// starts, what it holds in memory, and what writes, lists, snapshots and reloads cost.
//
//	go run ./test/scale                              # a table
//	go run ./test/scale -write docs/benchmarks.md    # and the same in the document
//
// The records are imported by batches, after which every node is killed and started; then they come from a backup
// that the program makes itself and the cluster restores. Beside it runs
// a cluster without them, so that writes with and without can take turns.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
	"versiond/test/load/measure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

type options struct {
	records  int
	mode     string
	duration time.Duration
	rounds   int
	watch    time.Duration
	dir      string
	write    string
}

// The values of -mode.
const (
	modeBoth     = "both"
	modeEmbedded = "embedded"
	modeServers  = "servers"
)

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.records, "records", 1_000_000, "how many records")
	flags.StringVar(&o.mode, "mode", modeBoth, "embedded, servers or both")
	flags.DurationVar(&o.duration, "duration", 4*time.Second, "how long the writes of a round take")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of writes, with and without the records")
	flags.DurationVar(&o.watch, "watch", 90*time.Second, "how long writes go on while snapshots, and then reloads, come and go")
	flags.StringVar(&o.dir, "dir", "", "folder for the state; a temporary one when not set")
	flags.StringVar(&o.write, "write", "", "document whose section is replaced")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.mode != modeBoth && o.mode != modeEmbedded && o.mode != modeServers {
		return o, fmt.Errorf("-mode is %q; it has to be embedded, servers or both", o.mode)
	}
	if o.records < 1 || o.rounds < 1 || o.duration <= 0 || o.watch <= 0 || flags.NArg() > 0 {
		return o, errors.New("-records, -rounds, -duration and -watch must be above 0, and there are no arguments")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "versiond-scale")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	machine, err := measure.Describe(dir)
	if err != nil {
		return err
	}
	r := &report{began: time.Now().UTC(), records: o.records, machine: machine}
	if err := runModes(ctx, o, dir, r, stderr); err != nil {
		return err
	}
	text := r.markdown()
	if _, err := io.WriteString(stdout, text); err != nil || o.write == "" {
		return err
	}
	return measure.ReplaceSection(o.write, "scale", text)
}

func runModes(ctx context.Context, o options, dir string, r *report, stderr io.Writer) error {
	program, err := cluster.Build(dir)
	if err != nil {
		return err
	}
	backup := filepath.Join(dir, "records.backup")
	if err := writeBackup(ctx, backup, o.records); err != nil {
		return err
	}
	for _, mode := range []string{modeEmbedded, modeServers} {
		if o.mode != modeBoth && o.mode != mode {
			continue
		}
		e := &experiment{options: o, program: program, backup: backup, dir: filepath.Join(dir, mode), servers: mode == modeServers, stderr: stderr}
		figures, err := e.run(ctx)
		if errors.Is(err, servers.ErrNotInstalled) {
			fmt.Fprintln(stderr, "LEFT OUT:", err)
			r.leftOut = append(r.leftOut, err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", mode, err)
		}
		r.modes = append(r.modes, modeFigures{mode, figures})
	}
	return nil
}
