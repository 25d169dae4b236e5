package service

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/model"
	"versiond/peer"
)

func threeListed(address string) Settings {
	return Settings{Port: 8081, Listed: []Listed{
		{ID: "node1", Address: address, Port: 8081},
		{ID: "node2", Address: "node2:7001", Port: 8082},
		{ID: "node3", Address: "node3:7001", Port: 8083},
	}}
}

// A node whose data directory was lost may still have its database. To begin anew over it would put
// an empty cluster in the place of every record.
func TestClusterIsNotBegunOverAnotherOnesDatabase(t *testing.T) {
	t.Parallel()
	var log, silentLog lockedLog
	path := filepath.Join(t.TempDir(), "node1")
	require.NoError(t, os.Mkdir(path, 0o700))
	store := mustStore(t, path)
	require.NoError(t, store.BeginRestore(t.Context(), model.Identity{Cluster: "cluster9", Node: "node1", Store: "s"}))
	n := nodeOptions{path: path, store: store, log: &log}.mustRun(t)
	eventually(t, func() bool { return strings.Contains(log.String(), "a member of cluster cluster9") })
	require.False(t, n.node.Running())
	status := n.Status(t.Context())
	require.Equal(t, "cluster9", status.StoreCluster)
	require.False(t, status.StoreSilent)

	err := n.Admit(t.Context(), peer.Admission{Cluster: "cluster2"})
	require.ErrorIs(t, err, model.ErrWrongNode)
	require.ErrorContains(t, err, "cluster9")
	require.False(t, n.node.Running())
	require.NoError(t, n.Admit(t.Context(), peer.Admission{Cluster: "cluster9"}), "its own cluster takes it back")
	require.True(t, n.node.Running())

	closed := mustStore(t, t.TempDir())
	require.NoError(t, db.Close(closed.DB))
	silent := nodeOptions{store: closed, log: &silentLog}.mustRun(t)
	eventually(t, func() bool { return strings.Contains(silentLog.String(), "its database") })
	require.False(t, silent.node.Running(), "nobody knows what a database that does not answer holds")
	require.True(t, silent.Status(t.Context()).StoreSilent)
}

// The leader may repeat its admission; another cluster's must not pull a member over.
func TestAdmissionIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	n := nodeOptions{settings: threeListed}.mustOpen(t)
	require.ErrorIs(t, n.Admit(t.Context(), peer.Admission{}), model.ErrInvalid)
	require.False(t, n.node.Running())
	for range 2 {
		require.NoError(t, n.Admit(t.Context(), peer.Admission{Cluster: "cluster1"}))
	}
	require.ErrorIs(t, n.Admit(t.Context(), peer.Admission{Cluster: "cluster2"}), model.ErrWrongNode)
	require.Equal(t, "cluster1", n.Term().Cluster)
	require.True(t, n.node.Running())
}

// A member that is started again must take up where it was, without asking anybody: its cluster may
// be waiting for just this vote.
func TestMemberStartsAgainByItself(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	added := n.mustAdd(t, "a", "1").Record
	cluster := n.Term().Cluster
	n.close()
	require.NoError(t, n.Close(), "closing again must do no harm: main closes what a failed start has opened")
	require.NoError(t, db.Close(n.store.DB))
	again := nodeOptions{path: n.path}.mustLead(t)
	require.Equal(t, cluster, again.Term().Cluster)
	require.Equal(t, added, again.mustGet(t, "a"))
}
