package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Nodes and releases compare checksums: two that cannot be held against each other must never look
// like two stores of which one is broken.
func TestChecksumContradicts(t *testing.T) {
	sum := NewChecksum(3, 255)
	require.Equal(t, Checksum("1-3-00000000000000ff"), sum)
	require.False(t, sum.Contradicts(sum))
	require.True(t, sum.Contradicts(NewChecksum(3, 254)))
	require.True(t, sum.Contradicts(NewChecksum(2, 255)))
	for _, unknown := range []Checksum{"", "2-3-00000000000000ff", "10-3-00", "x"} {
		require.False(t, sum.Contradicts(unknown), unknown)
		require.False(t, unknown.Contradicts(sum), unknown)
	}
}
