package dao_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A page costs its rows, whatever it is filtered by and however many records lie before it: the server counts what it reads. Left
// to itself MariaDB steps over all records of a platform that come before the page.
func TestAPageCostsItsRows(t *testing.T) {
	s := newMariaDB(t)
	s.mustCreate(t)
	versions := make([]model.Version, 4000)
	for i := range versions {
		versions[i] = version(fmt.Sprintf("app%d/%04d", i%2, i), uint64(i+1))
	}
	s.mustApply(t, versions)
	pool, err := s.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1) // the counters are those of a connection
	for _, opts := range []model.ListOptions{
		{}, {Platform: "linux"}, {Prefix: "app1/"}, {Prefix: "app1/", Platform: "linux"}, {Prefix: "app1/39"}, {Prefix: "app1/39", Platform: "linux"},
		{Prefix: "app1/", Platform: "absent"},
	} {
		for _, opts.After = range []string{"", "app1/3901"} {
			opts.Limit = 10
			require.NoError(t, s.DB.Exec("FLUSH STATUS").Error)
			_, err := s.Page(t.Context(), opts)
			require.NoError(t, err)
			require.LessOrEqual(t, s.rowsRead(t), 3*opts.Limit, "%+v", opts)
		}
	}
}

// rowsRead is what the server went over, also where an index alone told that it was none of the page.
func (s *store) rowsRead(t *testing.T) (rows int) {
	t.Helper()
	var counters []struct{ Value int }
	require.NoError(t, s.DB.Raw("SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_next', 'Handler_icp_attempts')").Scan(&counters).Error)
	for _, each := range counters {
		rows += each.Value
	}
	return rows
}
