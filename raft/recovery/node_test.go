package recovery

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/test/fakestore"
	"versiond/test/units"
)

// noPeers is for nodes that have none.
type noPeers struct{}

func (noPeers) Term(context.Context, string, string) (uint64, error) {
	return 0, model.ErrNodeUnreachable
}

// testNode is a node over a directory and a store that outlive it.
type testNode struct {
	*raft.Node
	dir      *datadir.Dir
	listener *transport.Listener
}

type testConfig struct {
	path   string
	store  *fakestore.Store
	tuning raft.Tuning
}

// soon lets a node that is alone lead at once: nobody else could be heard of.
const soon = 50 * time.Millisecond

// quietTuning is that of a node which takes no snapshots.
var quietTuning = raft.Tuning{SnapshotInterval: time.Hour, SnapshotThreshold: 1 << 30, TrailingLogs: 1 << 20, ElectionTimeout: soon}

func newTestConfig(t *testing.T) testConfig {
	return testConfig{path: filepath.Join(t.TempDir(), "node1"), store: fakestore.New(), tuning: quietTuning}
}

func (c testConfig) mustOpen(t *testing.T) *testNode {
	t.Helper()
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	n := &testNode{dir: mustDataDir(t, c.path), listener: listener}
	n.Node, err = raft.RaftInitializerImpl{Config: raft.NodeConfig{
		Address: "127.0.0.1:7001", Dir: n.dir, Listener: listener, Peers: noPeers{}, Log: slog.New(slog.DiscardHandler), Tuning: c.tuning,
	}}.InitRaft(fakestore.NewService(c.store))
	require.NoError(t, err)
	t.Cleanup(func() { n.close(t) })
	return n
}

func (n *testNode) close(t *testing.T) {
	require.NoError(t, n.Close())
	require.NoError(t, n.listener.Close())
	_ = n.dir.Close() // a second close finds it unlocked
}

// mustLead starts a node and waits until it leads, beginning a cluster if it has none.
func (c testConfig) mustLead(t *testing.T) *testNode {
	t.Helper()
	n := c.mustOpen(t)
	if !n.Running() {
		require.NoError(t, n.Bootstrap("cluster1"))
	}
	require.Eventually(t, func() bool { return n.IsLeader() && n.Serving() }, 10*time.Second, 5*time.Millisecond)
	return n
}

func (n *testNode) propose(t *testing.T, commands ...model.Command) (outcomes []model.Outcome) {
	t.Helper()
	units, err := n.Propose(t.Context(), units.Singles(commands...))
	require.NoError(t, err)
	for _, u := range units {
		outcomes = append(outcomes, u.Outcomes...)
	}
	return outcomes
}

func add(id string) model.Command {
	return model.Command{Type: model.CommandAdd, ID: id, VersionNo: "1", Platform: "linux"}
}

func (n *testNode) mustAdd(t *testing.T, prefix string, count int) {
	t.Helper()
	for i := range count {
		require.Equal(t, model.OutcomeDone, n.propose(t, add(fmt.Sprintf("%s-%03d", prefix, i)))[0].Code)
	}
}

func mustDataDir(t *testing.T, path string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(path, "node1")
	require.NoError(t, err)
	return d
}
