package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of go test -json (go doc test2json); build events name an ImportPath only.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64 // seconds, once it has ended
}

// test names a test; a package's own output and end have no test name.
type test struct{ pkg, name string }

// report turns events into what a person reads, and remembers what was skipped.
type report struct {
	out     io.Writer
	pending map[test][]string // output of tests whose end is not known yet
	skipped []test
	slow    []event // the ends of tests that took slowSeconds or more
}

// At most slowMost tests that took slowSeconds are named.
const (
	slowSeconds = 20
	slowMost    = 12
)

func newReport(out io.Writer) *report {
	return &report{out: out, pending: map[test][]string{}}
}

func (r *report) take(e event) {
	t := test{pkg: e.Package, name: e.Test}
	if t.name != "" && e.Elapsed >= slowSeconds {
		r.slow = append(r.slow, e)
	}
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		r.output(t, e.Output)
	case "fail":
		if t.name == "" {
			r.flushPackage(t.pkg)
		}
		r.flush(t)
	case "pass":
		delete(r.pending, t)
	case "skip":
		if t.name != "" { // a package is skipped when it has no tests
			r.skipped = append(r.skipped, t)
			r.flush(t)
		}
	}
}

// output prints a package's lines at once and keeps a test's until it is known how the test ended.
func (r *report) output(t test, line string) {
	switch {
	case t.name != "":
		r.pending[t] = append(r.pending[t], line)
	case line != "PASS\n":
		fmt.Fprint(r.out, line)
	}
}

// flush prints what a test wrote, without the lines that only -v shows.
func (r *report) flush(t test) {
	for _, line := range r.pending[t] {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Fprint(r.out, line)
		}
	}
	delete(r.pending, t)
}

// flushPackage prints what the tests wrote that were running when their process died.
func (r *report) flushPackage(pkg string) {
	for t := range r.pending {
		if t.pkg == pkg {
			r.flush(t)
		}
	}
}

// printSlow prints which tests took longest, as a run that is to be shorter begins with them.
func (r *report) printSlow() {
	slices.SortStableFunc(r.slow, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	for _, e := range r.slow[:min(len(r.slow), slowMost)] {
		fmt.Fprintf(r.out, "slow\t%s %s\t%.0fs\n", e.Package, e.Test, e.Elapsed)
	}
}

// err returns what was skipped; nil when nothing was.
func (r *report) err() error {
	if len(r.skipped) == 0 {
		return nil
	}
	var names strings.Builder
	for _, t := range r.skipped {
		fmt.Fprintf(&names, "\n    %s %s", t.pkg, t.name)
	}
	return fmt.Errorf("%d tests were skipped, so this run proves less than it seems to:%s", len(r.skipped), names.String())
}
