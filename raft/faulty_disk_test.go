package raft

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
	"versiond/raft/transport"
	"versiond/test/fakestore"
)

// faultyDisk is between a node and the file of its log. Its faults are what a disk can do to writes.
type faultyDisk struct {
	raftlog.Files
	mu   sync.Mutex
	fail error         // what every write fails with
	late bool          // writes that fail are done all the same
	hang chan struct{} // closed when writes may go on; nil while they may
}

func (f *faultyDisk) over(inner raftlog.Files) raftlog.Files { f.Files = inner; return f }

func (f *faultyDisk) set(fail error, hang chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.hang = fail, hang
}

func (f *faultyDisk) write(do func() error) error {
	f.mu.Lock()
	fail, late, hang := f.fail, f.late, f.hang
	f.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if fail != nil && !late {
		return fail
	}
	if err := do(); err != nil {
		return err
	}
	return fail
}

func (f *faultyDisk) StoreLogs(logs []*raft.Log) error {
	return f.write(func() error { return f.Files.StoreLogs(logs) })
}

func (f *faultyDisk) DeleteRange(first, last uint64) error {
	return f.write(func() error { return f.Files.DeleteRange(first, last) })
}

func (f *faultyDisk) Set(key, value []byte) error {
	return f.write(func() error { return f.Files.Set(key, value) })
}

func (f *faultyDisk) SetUint64(key []byte, value uint64) error {
	return f.write(func() error { return f.Files.SetUint64(key, value) })
}

// trio is three nodes in one process, each with a faulty disk.
type trio struct {
	nodes []*Node
	disks map[*Node]*faultyDisk
	rows  map[*Node]*fakestore.Store
}

// trioPeers asks the nodes of a trio for their terms.
type trioPeers struct{ trio *trio }

func (p trioPeers) Term(_ context.Context, id, _ string) (uint64, error) {
	for _, n := range p.trio.nodes {
		if n.Identity().Node == id {
			return n.Term(), nil
		}
	}
	return 0, model.ErrNodeUnreachable
}

func mustTrio(t *testing.T) *trio {
	t.Helper()
	c := &trio{disks: map[*Node]*faultyDisk{}, rows: map[*Node]*fakestore.Store{}}
	for _, id := range []string{"node1", "node2", "node3"} {
		c.mustOpen(t, id)
	}
	require.NoError(t, c.nodes[0].Bootstrap("cluster1"))
	require.Eventually(t, c.nodes[0].IsLeader, 10*time.Second, 5*time.Millisecond)
	for _, n := range c.nodes[1:] {
		require.NoError(t, n.Admit(datadir.Membership{Cluster: "cluster1"}))
		require.NoError(t, c.nodes[0].AddVoter(t.Context(), n.Identity().Node, n.Address()))
	}
	for _, n := range c.nodes {
		require.Eventually(t, func() bool { return n.Serving() && len(n.Members()) == 3 }, 10*time.Second, 5*time.Millisecond)
	}
	return c
}

func (c *trio) mustOpen(t *testing.T, id string) {
	t.Helper()
	dir, err := datadir.Open(filepath.Join(t.TempDir(), id), id)
	require.NoError(t, err)
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	disk, store := &faultyDisk{}, fakestore.New()
	n, err := RaftInitializerImpl{Config: NodeConfig{
		Address: listener.Addr().String(), Dir: dir, Listener: listener, Peers: trioPeers{c}, Log: slog.New(slog.DiscardHandler),
		Tuning: Tuning{SnapshotInterval: time.Hour, SnapshotThreshold: 1 << 30, TrailingLogs: 1 << 20}, wrapLog: disk.over,
	}}.InitRaft(fakestore.NewService(store))
	require.NoError(t, err)
	c.nodes, c.disks[n], c.rows[n] = append(c.nodes, n), disk, store
	t.Cleanup(func() {
		require.NoError(t, n.Close())
		require.NoError(t, listener.Close())
		require.NoError(t, dir.Close())
	})
}

// leaderBut waits until a node leads that is not the one that is named.
func (c *trio) leaderBut(t *testing.T, not *Node, within time.Duration) *Node {
	t.Helper()
	var leader *Node
	require.Eventually(t, func() bool {
		for _, n := range c.nodes {
			if n != not && n.IsLeader() {
				leader = n
			}
		}
		return leader != nil
	}, within, 5*time.Millisecond, "no other node leads")
	return leader
}

// requireEqual waits until every node has applied what the leader has, and compares their stores.
func (c *trio) requireEqual(t *testing.T, leader *Node) {
	t.Helper()
	for _, n := range c.nodes {
		require.NoError(t, n.WaitApplied(t.Context(), leader.AppliedIndex()), n.Identity().Node)
		require.Equal(t, c.rows[leader].Rows(), c.rows[n].Rows(), n.Identity().Node)
	}
}
