package service

import (
	"testing"

	"github.com/stretchr/testify/require"
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
	n.mustWait(t, add("a", "1"))
	n.close()
	require.NotContains(t, log.String(), "store failed")
	require.NotContains(t, log.String(), "context canceled")
}
