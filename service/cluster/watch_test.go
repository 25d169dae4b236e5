package cluster_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/model"
	"versiond/service/cluster"
	"versiond/test/units"
)

// A node that was removed and is among the members again must serve again by itself.
func TestANodeThatIsAMemberAgainServes(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	n.SetRemoved(model.ErrNodeRemoved)
	require.ErrorIs(t, n.WithLeader(t.Context(), func(context.Context) error { return nil }), model.ErrNodeRemoved)
	watching, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { n.WatchRemoval(watching) })
	require.Eventually(t, func() bool { return n.Removed() == nil }, 10*time.Second, 5*time.Millisecond)
	stop()
	wg.Wait()
	require.NoError(t, n.WithLeader(t.Context(), func(context.Context) error { return nil }))
}

// When no voter is better off, as in an outage of all stores, the leader must look again soon: the first
// store to come back should lead. If this fails, a leader whose own store stays away refuses writes for ten
// seconds more than it has to.
func TestNobodyBetterOffIsAskedAgainSoon(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	stuck := n.Stuck()
	require.Equal(t, cluster.NobodyPause, stuck.HandOver(t.Context()))
	require.False(t, stuck.Told(), "its store works, and is no reason for an alarm")
	require.NoError(t, db.Close(n.store.DB))
	ctx, cancel := context.WithCancel(t.Context())
	var waits sync.WaitGroup
	waits.Go(func() {
		_, _ = n.Node.Propose(ctx, units.Singles(model.Command{Type: model.CommandAdd, ID: "a", VersionNo: "1", Platform: "linux"})) // nobody waits for its outcome
	})
	require.Eventually(t, func() bool { return n.Node.HeldUp() != nil }, 15*time.Second, 5*time.Millisecond)
	require.Equal(t, cluster.NobodyPause, stuck.HandOver(t.Context()))
	require.True(t, stuck.Told())
	stuck.Recover()
	require.False(t, stuck.Told(), "the next outage has to be told of too")
	require.Less(t, cluster.NobodyPause, cluster.HandOverPause/5)
	cancel()
	waits.Wait()
}
