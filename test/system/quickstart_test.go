package system_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// quickNode is one of the nodes of a quick start: all run in one process.
type quickNode struct {
	id           string
	peer, public int
	client       *cluster.Client
}

// quickStart is versiond as somebody runs it who has just cloned it: no setting but the ports.
type quickStart struct {
	t     *testing.T
	dir   string
	nodes []quickNode
}

func newQuickStart(t *testing.T) *quickStart {
	q := &quickStart{t: t, dir: t.TempDir()}
	for _, id := range []string{"node1", "node2", "node3"} {
		n := quickNode{id: id, peer: cluster.FreePort(t), public: cluster.FreePort(t)}
		n.client = cluster.NewClient(t, address(n.public), address(n.peer))
		q.nodes = append(q.nodes, n)
	}
	return q
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// run starts the program on the quick start's ports; its output goes to a log of this name.
func (q *quickStart) run(log string, env ...string) *cluster.Process {
	q.t.Helper()
	p := cluster.NewProcess(q.t, program, nil, append(q.env(), env...), filepath.Join(q.dir, log))
	p.Start()
	return p
}

func (q *quickStart) env() []string {
	var listed []string
	for _, n := range q.nodes {
		listed = append(listed, fmt.Sprintf("%s=%s/%d", n.id, address(n.peer), n.public))
	}
	return []string{"VERSIOND_RAFT_NODES=" + strings.Join(listed, ","), "VERSIOND_DATA_DIR=" + filepath.Join(q.dir, "data")}
}

func (q *quickStart) waitReady(timeout time.Duration) {
	q.t.Helper()
	for _, n := range q.nodes {
		cluster.Eventually(q.t, timeout, n.id+" is to be ready", func() error { return n.client.Ready(q.t.Context()) })
	}
}

// The first five minutes: one command, and the program says where it listens, who leads and what to
// try; it ends at once on Ctrl-C and has everything when it is started again. If this fails, nobody
// gets as far as the rest.
func TestQuickStart(t *testing.T) {
	q := newQuickStart(t)
	p := q.run("first.log")
	q.waitReady(5 * time.Second)
	var greeting string
	cluster.Eventually(t, 5*time.Second, "the greeting", func() error {
		if greeting = p.Log(); !strings.Contains(greeting, "curl ") {
			return fmt.Errorf("so far: %s", greeting)
		}
		return nil
	})
	for _, n := range q.nodes {
		require.Contains(t, greeting, fmt.Sprintf("http://localhost:%d", n.public))
		require.Contains(t, greeting, address(n.peer))
	}
	require.Regexp(t, regexp.MustCompile(`(?m)^ *node\d .* leads$`), greeting)

	written, err := q.nodes[0].client.Add(t.Context(), record("quick"))
	require.NoError(t, err)
	q.requireRead(written.Record)
	_, err = q.nodes[0].client.Transfer(t.Context(), q.nodes[1].id)
	require.NoError(t, err)
	q.requireRead(written.Record)

	p.Signal(os.Interrupt)
	require.Zero(t, p.Wait(5*time.Second), "the exit code after Ctrl-C")
	requireCalm(t, p.Log())

	again := q.run("again.log")
	q.waitReady(10 * time.Second)
	q.requireRead(written.Record)
	again.Stop()
}

func (q *quickStart) requireRead(want model.VersionDB) {
	q.t.Helper()
	for _, n := range q.nodes {
		read, err := n.client.Get(q.t.Context(), want.ID, model.ReadOptions{})
		require.NoError(q.t, err, n.id)
		require.Equal(q.t, want, read.Record, n.id)
	}
}

// A second start on the same data directory must say at once which process has it. If this fails, the
// user sees a program that hangs, or two that write to one log.
func TestSecondStartNamesTheFirst(t *testing.T) {
	t.Parallel()
	q := newQuickStart(t)
	first := q.run("first.log")
	q.waitReady(10 * time.Second)

	for i := range q.nodes { // other ports, so that the directory alone stands in the way
		q.nodes[i].peer, q.nodes[i].public = cluster.FreePort(t), cluster.FreePort(t)
	}
	second := q.run("second.log")
	require.NotZero(t, second.Wait(5*time.Second), "the exit code of the second start")
	require.Contains(t, second.Log(), "process "+strconv.Itoa(first.Pid()))
	require.True(t, first.Running())
	first.Stop()
}

// A port that is taken must be named together with the setting that changes it; the nodes whose ports
// are free run on. If this fails, the user has to guess which of six ports it was.
func TestTakenPortIsNamed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		port    func(n *quickNode) int
		setting string
	}{
		"public": {func(n *quickNode) int { return n.public }, "raft.nodes[].port"},
		"peer":   {func(n *quickNode) int { return n.peer }, "raft.nodes[].address"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			q := newQuickStart(t)
			port := tt.port(&q.nodes[1])
			listener, err := net.Listen("tcp", address(port))
			require.NoError(t, err)
			defer listener.Close()

			p := q.run("taken.log")
			q.nodes = []quickNode{q.nodes[0], q.nodes[2]}
			q.waitReady(10 * time.Second)
			require.Contains(t, p.Log(), "port "+strconv.Itoa(port))
			require.Contains(t, p.Log(), tt.setting)
			require.NotContains(t, p.Log(), "goroutine ")
			p.Signal(os.Interrupt)
			require.NotZero(t, p.Wait(5*time.Second), "the exit code, since a node could not run")
		})
	}
}
