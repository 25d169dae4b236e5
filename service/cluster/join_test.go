package cluster_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/service/cluster"
)

// atLine is called at a line of the log.
type atLine struct {
	slog.Handler
	line string
	do   func()
}

func (h atLine) Enabled(context.Context, slog.Level) bool { return true }

func (h atLine) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, h.line) {
		h.do()
	}
	return nil
}

// A blank member is taken out and in again. Where the lead is lost in between it is out: "no leader" would say that nothing
// was changed.
func TestAMemberThatWasTakenOutAndNotInAgainIsNoRefusal(t *testing.T) {
	t.Parallel()
	n := mustLead(t)
	next := options{id: "node2", parts: func(string) cluster.Parts { return cluster.Parts{} }}.mustOpen(t)
	require.NoError(t, next.Node.Admit(datadir.Membership{Cluster: n.Node.Identity().Cluster}))
	ctx := within(t, 20*time.Second)
	require.NoError(t, n.Node.AddVoter(ctx, "node2", next.Node.Address()))
	require.NoError(t, n.Node.AddNonvoter(ctx, "node3", "node3:7001"))
	n.peers.pretend("node3:7001", blank("node3"))
	n.Log = slog.New(atLine{slog.DiscardHandler, "has lost its Raft state", func() {
		require.Eventually(t, func() bool { // a busy machine may not get there at once
			return n.Node.TransferLeadership(ctx, "node2", next.Node.Address()) == nil || !n.Node.IsLeader()
		}, 15*time.Second, time.Millisecond)
	}})
	_, err := n.Join(within(t, 10*time.Second), "node3", "node3:7001", true)
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	require.ErrorContains(t, err, "node3 was taken out")
}
