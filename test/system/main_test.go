// Package system_test proves what versiond promises on real processes: nodes that are killed, frozen,
// moved and robbed of their data, on embedded storage and on MySQL with Redis.
package system_test

import (
	"os"
	"path/filepath"
	"testing"

	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
)

// program is the versiond that TestMain has built, shared the servers that its nodes use.
var (
	program string
	shared  servers.Shared
	onMaria = servers.Shared{OnMariaDB: true}
)

func TestMain(m *testing.M) {
	closing := func(s *servers.Shared) func() { return func() { _ = s.Close() } }
	os.Exit(cluster.Main(m, &program, closing(&shared), closing(&onMaria), closing(&perNode)))
}

// programs is the folder of program, for others that are built.
func programs() string { return filepath.Dir(program) }

// perNode holds a MySQL for each node, and a Redis, that tests may break: each test finds them whole.
var perNode servers.Shared

func perNodeConfig(env ...string) cluster.Config {
	return cluster.Config{Program: program, Shared: &perNode, PerNode: true, Env: env}
}

// mode is where the nodes of a test keep their records.
type mode struct {
	name   string
	shared *servers.Shared
}

// onBoth runs a test on embedded storage, and on MySQL with Redis, side by side: most of the time of
// either goes by waiting for elections. Nothing else runs in parallel but, behind all others and as many at a time as
// there are processors, tests that neither break servers nor promise anything that a second cluster would spoil: a time, or
// an index, which each election moves.
func onBoth(t *testing.T, test func(t *testing.T, m mode)) {
	t.Helper()
	onModes(t, test, mode{name: "embedded"}, mode{name: "mysql", shared: &shared})
}

// onAll is onBoth and MariaDB with Redis: for the few tests that together meet all that the two servers do differently.
func onAll(t *testing.T, test func(t *testing.T, m mode)) {
	t.Helper()
	onModes(t, test, mode{name: "embedded"}, mode{name: "mysql", shared: &shared}, mode{name: "mariadb", shared: &onMaria})
}

func onModes(t *testing.T, test func(t *testing.T, m mode), modes ...mode) {
	t.Helper()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) { t.Parallel(); test(t, m) })
	}
}

func (m mode) config(env ...string) cluster.Config {
	return cluster.Config{Program: program, Shared: m.shared, Env: env}
}
