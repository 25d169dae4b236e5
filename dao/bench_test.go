package dao_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

const benchRows = 100_000

// BenchmarkApply measures transactions of so many new records, whose ids are as far apart as those of as many clients, without
// their changes and with them. Of a registry of few records each transaction lets as many changes go as it brings, of others one in
// many.
func BenchmarkApply(b *testing.B) {
	for _, group := range []int{1, 16, 100, 400} {
		for name, block := range map[string]int{"plain": 0, "changes": 1000, "changes of few": 1} {
			b.Run(fmt.Sprint(group, "/", name), func(b *testing.B) { benchmarkApply(b, group, block) })
		}
	}
}

// benchmarkApply keeps the newest 10,000 changes, of which it lets so many go at once; none at all when that is 0.
func benchmarkApply(b *testing.B, group, block int) {
	kept, step := uint64(10_000/group), uint64(max(1, block/group))
	eachStore(b, func(b *testing.B, s *store) {
		left, err := s.State(b.Context())
		require.NoError(b, err)
		for b.Loop() {
			from := left.Applied
			changes := model.Changes{Upserts: make([]model.Version, group), Plain: true}
			for i := range changes.Upserts {
				v := version(fmt.Sprintf("w%d-%d", i, from.Index), model.Revision(from.Index, i))
				changes.Upserts[i] = v
				if block > 0 {
					changes.Log = append(changes.Log, model.Change{Revision: v.Revision, Op: model.ChangeUpdate, ID: v.ID, VersionNo: v.VersionNo, Platform: v.Platform, At: 1_700_000_000_000, By: "ci"})
				}
			}
			if index := from.Index; block > 0 && index > kept+step && index%step == 0 {
				changes.LetGo = model.Range{From: model.Revision(index-kept-step, 0), Through: model.Revision(index-kept, 0) - 1}
			}
			becomes := left
			becomes.Applied = after(from)
			require.NoError(b, s.Apply(b.Context(), left, becomes.Sealed(), changes))
			left = becomes.Sealed()
		}
	})
}

// BenchmarkGet measures reading one record.
func BenchmarkGet(b *testing.B) {
	eachStore(b, func(b *testing.B, s *store) {
		require.NoError(b, s.InsertBatch(b.Context(), manyVersions(1000)))
		for b.Loop() {
			_, err := s.Get(b.Context(), "record-000500")
			require.NoError(b, err)
		}
	})
}

// BenchmarkForEachVersion measures reading 100,000 records, as a start does.
func BenchmarkForEachVersion(b *testing.B) {
	eachStore(b, func(b *testing.B, s *store) {
		versions := make([]model.Version, benchRows)
		for i := range versions {
			versions[i] = version(fmt.Sprintf("record-%07d", i), uint64(i))
		}
		require.NoError(b, s.InsertBatch(b.Context(), versions))
		for b.Loop() {
			count := 0
			require.NoError(b, s.ForEachVersion(b.Context(), func(model.Version) error { count++; return nil }))
			require.Equal(b, benchRows, count)
		}
	})
}

func eachStore(b *testing.B, run func(*testing.B, *store)) {
	for name, open := range map[string]func(testing.TB) *store{"SQLite": newSQLite, "MariaDB": newMariaDB} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			require.NoError(b, s.BeginRestore(b.Context(), identity))
			require.NoError(b, s.FinishRestore(b.Context(), identity, model.Position{}, checksum, 0))
			run(b, s)
		})
	}
}
