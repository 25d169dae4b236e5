package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"versiond/test/load/measure"
	"versiond/test/load/synthetic"
)

const (
	// patience is more than any start should take, so that a slow one is measured and not a failure.
	patience = 5 * time.Minute
	// writers is how many clients write at once.
	writers = 64
)

// Settings of the nodes. What goes on by itself is kept out of the figures of other things.
var (
	quiet        = []string{"VERSIOND_RAFT_SNAPSHOTTHRESHOLD=1000000000", "VERSIOND_SERVER_RELOADINTERVAL=10h"}
	withSnapshot = []string{"VERSIOND_RAFT_SNAPSHOTTHRESHOLD=2000", "VERSIOND_RAFT_SNAPSHOTINTERVAL=5s"}
	withReload   = []string{"VERSIOND_RAFT_SNAPSHOTTHRESHOLD=1000000000", "VERSIOND_SERVER_RELOADINTERVAL=20s"}
)

// experiment is all that is measured in one mode.
type experiment struct {
	options
	program, backup, dir string
	servers              bool
	stderr               io.Writer

	full, empty *measure.System
	added       int // to the records of full
	figures     []figure
}

func (e *experiment) run(ctx context.Context) (_ []figure, err error) {
	defer func() {
		for _, s := range []*measure.System{e.full, e.empty} {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
	}()
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"starting two clusters", e.start},
		{"importing the records by batches", e.importRecords},
		{"killing all nodes and starting them", e.killAll},
		{"restoring the records", e.fill},
		{"starting nodes with the records", e.restart},
		{"writing with and without the records", e.compareWrites},
		{"listing", e.list},
		{"writing beside snapshots", e.snapshots},
		{"writing beside reloads", e.reloads},
	} {
		fmt.Fprintf(e.stderr, "%s: %s\n", filepath.Base(e.dir), step.what)
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return e.figures, nil
}

func (e *experiment) start(context.Context) (err error) {
	cfg := measure.Versiond{Program: e.program, Dir: filepath.Join(e.dir, "full"), Servers: e.servers, Env: quiet, Patience: patience}
	if e.full, err = measure.StartVersiond(cfg); err != nil {
		return err
	}
	cfg.Dir = filepath.Join(e.dir, "empty")
	e.empty, err = measure.StartVersiond(cfg)
	return err
}

// fill restores the backup and waits until every node has all of it.
func (e *experiment) fill(ctx context.Context) error {
	began := time.Now()
	cmd := exec.CommandContext(ctx, e.program, "restore", e.backup, "--foreign", "--timeout", "1h", "--url", "http://"+e.full.Nodes[0].Address)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, n := range e.full.Nodes {
		if err := e.awaitLast(ctx, n); err != nil {
			return err
		}
	}
	e.note("restoring all records on three nodes, s", time.Since(began).Seconds(), 0)
	return e.noteMemory("the same, peak memory of a node, MiB", 0)
}

func (e *experiment) awaitLast(ctx context.Context, n *measure.Server) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := e.full.Dial(ctx, n.Address)
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		err := c.Read(synthetic.ID(e.records-1), measure.None)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", n.Name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// restart starts the nodes anew one by one, while the others go on.
func (e *experiment) restart(context.Context) error {
	var slowest time.Duration
	for _, n := range e.full.Nodes {
		if err := n.Stop(); err != nil {
			return err
		}
		began := time.Now()
		if err := n.Start(); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(began))
	}
	e.note("start of a node until it is ready, s", slowest.Seconds(), 20)
	return e.noteMemory("the same, peak memory, MiB", e.memoryMax())
}

// memoryMax is 150 MiB and 150 bytes a record, in MiB.
func (e *experiment) memoryMax() float64 { return 150 + float64(e.records+e.added)*150/(1<<20) }

// noteMemory notes the highest peak of the nodes since their start.
func (e *experiment) noteMemory(what string, most float64) error {
	var peak int64
	for _, n := range e.full.Nodes {
		m, err := n.Memory()
		if err != nil {
			return err
		}
		peak = max(peak, m.Peak)
	}
	e.note(what, float64(peak)/(1<<20), most)
	return nil
}

// note files a figure; of most 0 it has no bound.
func (e *experiment) note(what string, value, most float64) {
	e.figures = append(e.figures, figure{what: what, value: value, most: most})
	fmt.Fprintf(e.stderr, "  %s: %.2f\n", strings.TrimSpace(what), value)
}
