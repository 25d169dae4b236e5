package dao_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

const benchRows = 100_000

// BenchmarkApply measures transactions of so many new records, whose ids are as far apart as those of as many clients.
func BenchmarkApply(b *testing.B) {
	for _, group := range []int{1, 16, 100, 400} {
		b.Run(fmt.Sprint(group), func(b *testing.B) { benchmarkApply(b, group) })
	}
}

func benchmarkApply(b *testing.B, group int) {
	eachStore(b, func(b *testing.B, s *store) {
		left, err := s.State(b.Context())
		require.NoError(b, err)
		for b.Loop() {
			from := left.Applied
			upserts := make([]model.Version, group)
			for i := range upserts {
				upserts[i] = version(fmt.Sprintf("w%d-%d", i, from.Index), from.Index)
			}
			becomes := left
			becomes.Applied = after(from)
			require.NoError(b, s.Apply(b.Context(), left, becomes.Sealed(), model.Changes{Upserts: upserts, Plain: true}))
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
