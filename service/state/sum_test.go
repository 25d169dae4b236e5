package state

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A checksum that misses a field, or takes one field's end for the beginning of the next, misses
// changes there. The number must never change: it is stored, and nodes of several releases compare it.
func TestEveryFieldOfARowIsHashed(t *testing.T) {
	base := model.Version{ID: "a", VersionNo: "b", Platform: "c", Revision: 1}
	require.Equal(t, uint64(0x259a53f20717f56), MarkOf(&base).hash)
	others := []model.Version{
		{ID: "x", VersionNo: "b", Platform: "c", Revision: 1},
		{ID: "a", VersionNo: "x", Platform: "c", Revision: 1},
		{ID: "a", VersionNo: "b", Platform: "x", Revision: 1},
		{ID: "a", VersionNo: "b", Platform: "c", Revision: 2},
		{ID: "ab", VersionNo: "", Platform: "c", Revision: 1},
		{ID: "a", VersionNo: "bc", Platform: "", Revision: 1},
		{ID: "b", VersionNo: "a", Platform: "c", Revision: 1},
	}
	for _, other := range others {
		require.NotEqual(t, MarkOf(&base).hash, MarkOf(&other).hash, other)
	}
}

func BenchmarkMarkOf(b *testing.B) {
	v := model.Version{ID: "package-000000000042", VersionNo: "1.22.333", Platform: "linux/amd64", Revision: 1 << 40}
	b.ReportAllocs()
	for b.Loop() {
		MarkOf(&v)
	}
}
