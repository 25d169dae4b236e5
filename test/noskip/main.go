// Command noskip runs go test and fails also when a test was skipped: a run that left something out
// must not look like one that passed.
//
//	go run ./test/noskip -race ./...
//
// Its arguments are those of go test. It prints what go test prints without -v: the output of what
// failed, and one line a package; and at the end the tests that took longest.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "noskip:", err)
		os.Exit(1)
	}
}

// run returns an error when go test fails, or when it passes with tests left out.
func run(args []string, out io.Writer) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	report := newReport(out)
	readErr := report.read(events)
	report.printSlow()
	return errors.Join(readErr, cmd.Wait(), report.err())
}

// read takes the events of go test -json until there are no more.
func (r *report) read(events io.Reader) error {
	decoder := json.NewDecoder(events)
	for {
		var e event
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			_, _ = io.Copy(io.Discard, events) // or go test would wait for us
			return fmt.Errorf("go test -json: %w", err)
		}
		r.take(e)
	}
}
