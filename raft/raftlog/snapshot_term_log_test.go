package raftlog

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// A follower must find in the hole behind a snapshot the term that goes before the next entry, or it can
// never take another leader's entries behind it. A leader must find nothing, or it would send its
// followers an entry instead of the records.
func TestHoleIsFilledForFollowersOnly(t *testing.T) {
	snapshots := raft.NewInmemSnapshotStore()
	_, transport := raft.NewInmemTransport("x")
	sink, err := snapshots.Create(1, 20, 2, raft.Configuration{}, 1, transport)
	require.NoError(t, err)
	require.NoError(t, sink.Close())
	logs := (&Stores{Log: raft.NewInmemStore(), Snapshots: snapshots}).ForRaft()
	var log raft.Log
	require.NoError(t, logs.GetLog(20, &log))
	require.Equal(t, raft.Log{Index: 20, Term: 2, Type: raft.LogNoop}, log)
	require.ErrorIs(t, logs.GetLog(19, &log), raft.ErrLogNotFound)

	logs.Observe(&raft.Observation{Data: raft.Leader})
	require.ErrorIs(t, logs.GetLog(20, &log), raft.ErrLogNotFound)
	logs.Observe(&raft.Observation{Data: raft.Follower})
	require.ErrorIs(t, logs.GetLog(20, &log), raft.ErrLogNotFound, "it may still be replicating")
	longAgo := time.Now().Add(-2 * ReplicationDrain)
	logs.led.Store(&longAgo)
	require.NoError(t, logs.GetLog(20, &log))
}
