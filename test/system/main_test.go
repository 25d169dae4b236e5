// Package system_test proves what versiond promises on real processes: nodes that are killed, frozen,
// moved and robbed of their data, on embedded storage and on MySQL with Redis.
package system_test

import (
	"fmt"
	"os"
	"testing"

	"versiond/test/cluster"
	"versiond/test/servers"
)

// program is the versiond that TestMain has built in programs, shared the servers that its nodes use.
var (
	program  string
	programs string
	shared   servers.Shared
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vs")
	if programs = dir; err == nil {
		defer os.RemoveAll(dir)
		program, err = cluster.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Close()
	defer perNode.Close()
	return m.Run()
}

// mode is where the nodes of a test keep their records.
type mode struct {
	name   string
	shared *servers.Shared
}

// onBoth runs a test on embedded storage, and on MySQL with Redis, side by side: most of the time of
// either goes by waiting for elections. Nothing else runs in parallel.
func onBoth(t *testing.T, test func(t *testing.T, m mode)) {
	for _, m := range []mode{{name: "embedded"}, {name: "mysql", shared: &shared}} {
		t.Run(m.name, func(t *testing.T) { t.Parallel(); test(t, m) })
	}
}

func (m mode) config(env ...string) cluster.Config {
	return cluster.Config{Program: program, Shared: m.shared, Env: env}
}
