package raft

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/contact"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
	"versiond/test/units"
	"versiond/wire"
)

// mustBeginAsBefore begins a cluster as a release does that keeps no changes.
func (c testConfig) mustBeginAsBefore(t *testing.T) {
	t.Helper()
	dir, err := datadir.Open(c.path, "node1")
	require.NoError(t, err)
	require.NoError(t, dir.SetCluster(datadir.Membership{Cluster: "cluster1"}))
	log := slog.New(slog.DiscardHandler)
	stores, err := raftlog.Open(dir.Path(), raftlog.Options{Log: log})
	require.NoError(t, err)
	_, transport := raft.NewInmemTransport("127.0.0.1:7001")
	conf := c.tuning.raftConfig("node1", contact.NewLogger(log, contact.New(func(string) string { return "" }, log)))
	require.NoError(t, raft.BootstrapCluster(conf, stores.Log, stores.Stable, stores.Snapshots, transport, Alone("node1", "127.0.0.1:7001")))
	require.NoError(t, stores.Close())
	require.NoError(t, dir.Close())
}

func (n *testNode) mustKeepChanges(t *testing.T) {
	t.Helper()
	require.NoError(t, n.KeepChanges(t.Context()))
	require.True(t, n.KeepsChanges())
}

// mustProposeFrom creates a record for somebody, and returns the origin that the log has of that.
func (n *testNode) mustProposeFrom(t *testing.T, id, by string) *model.Origin {
	t.Helper()
	unit := model.Single(add(id))
	unit.Origin = &model.Origin{At: 1764422400123, By: by}
	outcomes, err := n.Propose(t.Context(), []model.Unit{unit})
	require.NoError(t, err)
	require.NotNil(t, unit.Origin, "it is the caller's")
	e, err := readEntry(n.stores.Log, model.IndexOf(outcomes[0].Outcomes[0].Revision))
	require.NoError(t, err)
	decoded, err := wire.DecodeUnits(e.data)
	require.NoError(t, err)
	return decoded[0].Origin
}

// A release of before stops at an origin. So none may be in the log before the entry that only a cluster without such a node
// has, and one in every entry after it.
func TestNoOriginComesBeforeChangesAreKept(t *testing.T) {
	c := newTestConfig(t)
	c.mustBeginAsBefore(t)
	n := c.mustLead(t)
	require.Nil(t, n.mustProposeFrom(t, "a", "ci"))
	require.False(t, n.KeepsChanges())
	n.mustKeepChanges(t)
	begun := n.LastIndex()
	require.Equal(t, &model.Origin{At: 1764422400123, By: "ops"}, n.mustProposeFrom(t, "b", "ops"))
	_, state := c.store.Copy()
	require.Equal(t, model.Revision(begun, 0), state.ChangesFrom)

	// What a leader proposed that did not see that another had is no second beginning.
	last := n.LastIndex()
	n.mustKeepChanges(t)
	require.Equal(t, last, n.LastIndex(), "it is said once")
	_, err := n.current().proposer.proposeEntry(t.Context(), wire.KeepChanges(), func() {})
	require.NoError(t, err)
	n.mustAdd(t, "after", 1)
	_, state = c.store.Copy()
	require.Equal(t, model.Revision(begun, 0), state.ChangesFrom)

	// A start and a store that is made anew from the log come to the same.
	for _, lose := range []func(){func() {}, c.store.Drop} {
		n.close(t)
		lose()
		n = c.mustLead(t)
		require.NoError(t, n.WaitApplied(t.Context(), n.LastIndex()))
		require.True(t, n.KeepsChanges())
		_, state = c.store.Copy()
		require.Equal(t, model.Revision(begun, 0), state.ChangesFrom)
	}
}

// Whoever begins with this release has the history of every record, the first one too.
func TestANewClusterKeepsChangesBeforeTheFirstWrite(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	require.NotNil(t, n.mustProposeFrom(t, "a", "ci"))
	_, state := c.store.Copy()
	require.Equal(t, model.Revision(2, 0), state.ChangesFrom)
	said, err := n.LogKeepsChanges(t.Context())
	require.NoError(t, err)
	require.True(t, said)
}

// A leader that has not applied its log cannot know what that says, and must say neither.
func TestALeaderThatIsBehindDoesNotSayWhatItsLogSays(t *testing.T) {
	c := newTestConfig(t)
	c.mustBeginAsBefore(t)
	n := c.mustLead(t)
	c.store.RefuseCommits(1 << 30)
	defer c.store.RefuseCommits(0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _, _ = n.Propose(ctx, units.Singles(add("a"))) }() // its outcome is nobody's here
	require.Eventually(t, func() bool { return n.LastIndex() > n.AppliedIndex() }, 10*time.Second, 5*time.Millisecond)
	cancel()
	_, err := n.LogKeepsChanges(ctx)
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
	require.ErrorIs(t, n.KeepChanges(ctx), model.ErrNotCaughtUp)
}

// A backup goes through the log as it is, and a node of a release before would stop at the history that is in it.
func TestAHistoryIsNotRestoredWhereAMemberCannotReadIt(t *testing.T) {
	full := newTestConfig(t).mustLead(t)
	full.mustAdd(t, "a", 3)
	file := full.mustBackup(t)
	c := newTestConfig(t)
	c.mustBeginAsBefore(t)
	n := c.mustLead(t)
	_, err := n.restoreBytes(t, file, true)
	require.ErrorContains(t, err, "let every member of the cluster run this release")
	require.ErrorIs(t, err, model.ErrInvalid)
	n.mustKeepChanges(t)
	index, err := n.restoreBytes(t, file, true)
	require.NoError(t, err)
	require.Len(t, c.store.Rows(), 3)
	_, state := c.store.Copy()
	require.Equal(t, model.Revision(index, 0), state.ChangesFrom, "no change says what the restore made of the records")

	// One without a history is restored as ever, and leaves nothing kept where nothing was.
	plainConfig := newTestConfig(t)
	plainConfig.mustBeginAsBefore(t)
	plain := plainConfig.mustLead(t)
	plain.mustAdd(t, "b", 2)
	_, err = plain.restoreBytes(t, plain.mustBackup(t), false)
	require.NoError(t, err)
	require.False(t, plain.KeepsChanges())
}
