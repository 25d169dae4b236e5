package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is left of a read's time must never become "without end".
func TestLessLeavesABound(t *testing.T) {
	require.Equal(t, time.Second, ReadOptions{Timeout: 3 * time.Second}.Less(2*time.Second).Timeout)
	require.Positive(t, ReadOptions{Timeout: time.Second}.Less(time.Second).Timeout)
	require.Positive(t, ReadOptions{Timeout: time.Second}.Less(time.Hour).Timeout)
	require.Zero(t, ReadOptions{}.Less(time.Hour).Timeout, "no bound stays none")
}
