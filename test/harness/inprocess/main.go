package inprocess

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"versiond/controller"
)

// Main runs the tests of a package beside a cluster of three nodes that all of them share, and returns their exit code.
func Main(m *testing.M, urls *[]string, tokens ...controller.Token) int {
	code, err := runBeside(m, urls, tokens)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func runBeside(m *testing.M, urls *[]string, tokens []controller.Token) (code int, err error) {
	dir, err := os.MkdirTemp("", "vi")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	nodes, err := Start(dir, 3, tokens...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, nodes.Close()) }()
	*urls = nodes.URLs
	return m.Run(), nil
}
