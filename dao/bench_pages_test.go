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
				page, err := view.Page(b.Context(), after, "", 1000)
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
