package dao_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// BenchmarkViewPages measures reading 100,000 records page by page in one view, as snapshots, backups
// and reloads do.
func BenchmarkViewPages(b *testing.B) {
	eachStore(b, func(b *testing.B, s *store) {
		versions := make([]model.Version, benchRows)
		for i := range versions {
			versions[i] = version(fmt.Sprintf("record-%07d", i), uint64(i))
		}
		require.NoError(b, s.InsertBatch(b.Context(), versions))
		b.ReportAllocs()
		for b.Loop() {
			view, err := s.OpenView(b.Context())
			require.NoError(b, err)
			count := 0
			for after := ""; ; {
				page, err := view.Page(b.Context(), model.ListOptions{After: after, Limit: 1000})
				require.NoError(b, err)
				if len(page) == 0 {
					break
				}
				count += len(page)
				after = page[len(page)-1].ID
			}
			require.Equal(b, benchRows, count)
			require.NoError(b, view.Close())
		}
	})
}

// BenchmarkListPages measures one page out of 100,000 records: as a client of a list reads it, with a filter or without, from the
// middle on. None may cost more than its rows.
func BenchmarkListPages(b *testing.B) {
	eachStore(b, func(b *testing.B, s *store) {
		versions := make([]model.Version, benchRows)
		for i := range versions {
			versions[i] = version(fmt.Sprintf("app%d/%07d", i%4, i), uint64(i))
			if i%1000 < 4 {
				versions[i].Platform = "rare"
			}
		}
		require.NoError(b, s.InsertBatch(b.Context(), versions))
		for _, opts := range []model.ListOptions{
			{}, {Platform: "linux"}, {Platform: "rare"}, {Prefix: "app2/"}, {Prefix: "app2/", Platform: "linux"}, {Prefix: "app2/", Platform: "rare"},
			{Prefix: "app2/00500", Platform: "linux"}, {Prefix: "app"}, {Prefix: "app2/", Platform: "none"},
		} {
			opts.After, opts.Limit = "app2/0050000", 50
			b.Run(fmt.Sprintf("prefix=%s,platform=%s", opts.Prefix, opts.Platform), func(b *testing.B) {
				for b.Loop() {
					_, err := s.Page(b.Context(), opts)
					require.NoError(b, err)
				}
			})
		}
	})
}
