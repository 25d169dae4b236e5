package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A node that is told to stop breaks off what its store is at. That is no failure of the store, and an alarm in the
// log of a planned stop sends operators to look for one.
func TestStopIsNoFailureOfTheStore(t *testing.T) {
	t.Parallel()
	var log lockedLog
	n := nodeOptions{log: &log}.mustLead(t)
	other := mustStore(t, n.path)
	lock := other.DB.Begin()
	require.NoError(t, lock.Error)
	t.Cleanup(func() { require.NoError(t, lock.Rollback().Error) })
	_, err := n.AddVersion(within(t, 200*time.Millisecond), record("a", "1"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrOutcomeUnknown, "its transaction waits for the lock")
	n.close()
	require.NotContains(t, log.String(), "store failed")
	require.NotContains(t, log.String(), "context canceled")
}
