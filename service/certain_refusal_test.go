package service

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
)

// requireCertain wants an error that lets nobody believe that something may have been done.
func requireCertain(t *testing.T, want, err error) {
	t.Helper()
	require.ErrorIs(t, err, want)
	for _, open := range []error{model.ErrOutcomeUnknown, context.DeadlineExceeded, context.Canceled} {
		require.NotErrorIs(t, err, open)
	}
}

// inTurn tries a change that has no time to wait until no other one, such as a promotion, goes on.
func inTurn(t *testing.T, change func() error) (err error) {
	t.Helper()
	require.Eventually(t, func() bool {
		err = change()
		return !errors.Is(err, model.ErrTooManyRequests)
	}, 10*time.Second, time.Millisecond)
	return err
}

// Whoever runs out of time before anything was changed must be told that, and not that nobody knows.
func TestChangesThatCameToNothingInTimeAreRefused(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	t.Run("a node that could not be told is taken out again", func(t *testing.T) {
		peers := newFakePeers()
		peers.onAdmit = func(peer.Admission) error {
			return fmt.Errorf("%w: %w: %w", model.ErrNoAnswer, model.ErrNeverSent, context.DeadlineExceeded)
		}
		n := nodeOptions{peers: peers}.mustLead(t)
		peers.pretend("node2:7001", blank("node2"))
		_, err := n.join(t, "node2", "node2:7001")
		requireCertain(t, model.ErrNodeUnreachable, err)
		require.Len(t, n.node.Members(), 1)
	})
	t.Run("a member moves only when its old address was asked", func(t *testing.T) {
		peers := newFakePeers()
		peers.onAdmit = func(peer.Admission) error { return nil }
		n := nodeOptions{peers: peers}.mustLead(t)
		peers.pretend("node2:7001", blank("node2"))
		_, err := n.JoinRaftCluster(within(t, 10*time.Second), "node2", "node2:7001", false)
		require.NoError(t, err)
		replica := member("node2", n.Term().Cluster)
		replica.Replica = true
		peers.pretend("moved:7001", replica)
		peers.silence("node2:7001", true)
		requireCertain(t, model.ErrIDInUse, inTurn(t, func() error {
			_, err := n.JoinRaftCluster(over, "node2", "moved:7001", false)
			return err
		}))
		moved, err := n.JoinRaftCluster(within(t, 10*time.Second), "node2", "moved:7001", false)
		require.NoError(t, err)
		require.Equal(t, "moved:7001", moved.Address)
	})
	t.Run("a leader that has not handed over was not removed", func(t *testing.T) {
		nodes := mustCluster(t, 3)
		requireCertain(t, model.ErrNoSuccessor, inTurn(t, func() error { return nodes[0].DeleteFatalPeer(over, "node1", false) }))
		require.Len(t, nodes[1].node.Members(), 3)
	})
}
