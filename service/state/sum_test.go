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

// The same holds for a change.
func TestEveryFieldOfAChangeIsHashed(t *testing.T) {
	hash := func(c model.Change) uint64 { return new(Sum).AddChange(&c) }
	base := model.Change{Revision: 1, Op: model.ChangeUpdate, ID: "a", VersionNo: "b", Platform: "c", WasPlatform: "d", At: 5, By: "e", Details: &model.Details{Scheme: "f"}}
	require.Equal(t, uint64(0x5719b6eccdbbb422), hash(base))
	for name, change := range map[string]func(*model.Change){
		"revision": func(c *model.Change) { c.Revision++ },
		"op":       func(c *model.Change) { c.Op = model.ChangeCreate },
		"no op":    func(c *model.Change) { c.Op = "forged" },
		"id":       func(c *model.Change) { c.ID = "x" },
		"version":  func(c *model.Change) { c.VersionNo = "x" },
		"platform": func(c *model.Change) { c.Platform = "x" },
		"was":      func(c *model.Change) { c.WasPlatform = "" },
		"at":       func(c *model.Change) { c.At = 0 },
		"by":       func(c *model.Change) { c.By = "" },
		"details":  func(c *model.Change) { c.Details = nil },
		"between":  func(c *model.Change) { c.ID, c.Platform = "ac", "" },
	} {
		changed := base
		change(&changed)
		require.NotEqual(t, hash(base), hash(changed), name)
	}
	before, after := Sum{}, Sum{}
	after.SetChangesFrom(7)
	require.NotEqual(t, before.Checksum(), after.Checksum(), "from where on changes are kept")
}

func BenchmarkMarkOf(b *testing.B) {
	v := model.Version{ID: "package-000000000042", VersionNo: "1.22.333", Platform: "linux/amd64", Revision: 1 << 40}
	b.ReportAllocs()
	for b.Loop() {
		MarkOf(&v)
	}
}
