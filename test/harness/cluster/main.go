package cluster

import (
	"fmt"
	"os"
	"testing"
)

// Main builds the program for the tests of a package, runs them, and returns their exit code. Before the folder of the
// program goes, what is to end is ended, the last one first.
func Main(m *testing.M, program *string, ends ...func()) int {
	dir, err := os.MkdirTemp("", "vt")
	if err == nil {
		defer os.RemoveAll(dir)
		*program, err = Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, end := range ends {
		defer end()
	}
	return m.Run()
}
