package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Nodes compare checksums: two that cannot be held against each other must never look like two stores of which
// one is broken.
func TestChecksumComparable(t *testing.T) {
	sum := NewChecksum(3, 255)
	require.Equal(t, Checksum("1-3-00000000000000ff"), sum)
	require.True(t, sum.Comparable())
	for _, unknown := range []Checksum{"", "2-3-00000000000000ff", "10-3-00", "x"} {
		require.False(t, unknown.Comparable(), unknown)
	}
}
