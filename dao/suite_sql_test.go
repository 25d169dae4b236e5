package dao_test

import (
	"database/sql"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

var (
	sqlTables  = regexp.MustCompile("(?s)```text\n(.*?)```")
	sqlQueries = regexp.MustCompile("(?s)```sql\n(.*?)```\n\n```text\n(.*?)```")
)

// testSQLPage breaks when a query of docs/sql.md does not run on a database, or does not answer what stands there.
func (s *store) testSQLPage(t *testing.T) {
	page, err := os.ReadFile("../docs/sql.md")
	require.NoError(t, err)
	s.mustCreate(t)
	s.mustChange(t, model.Changes{Log: changesOf(t, sqlTables.FindSubmatch(page)[1])})
	queries := sqlQueries.FindAllStringSubmatch(string(page), -1)
	require.Len(t, queries, 5)
	for _, query := range queries {
		require.Equal(t, query[2], s.told(t, query[1]), query[1])
	}
}

// changesOf reads the changes of the page's table.
func changesOf(t *testing.T, table []byte) (list []model.Change) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		field := strings.Split(strings.ReplaceAll(line, "NULL", ""), " | ")
		revision, err := strconv.ParseUint(field[0], 10, 64)
		require.NoError(t, err)
		at, err := time.Parse("2006-01-02 15:04:05.000", field[6])
		require.NoError(t, err)
		list = append(list, model.Change{Revision: revision, Op: model.ChangeOp(field[1]), ID: field[2], VersionNo: field[3], Platform: field[4],
			WasPlatform: field[5], At: at.UnixMilli(), By: field[7]})
	}
	return list
}

// told returns what a query answers, in the form of the page.
func (s *store) told(t *testing.T, query string) string {
	t.Helper()
	rows, err := s.DB.Raw(query).Rows()
	require.NoError(t, err, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	lines := []string{strings.Join(columns, " | ")}
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		words := make([]string, len(columns))
		for i, v := range values {
			if words[i] = v.String; !v.Valid {
				words[i] = "NULL"
			}
		}
		lines = append(lines, strings.Join(words, " | "))
	}
	require.NoError(t, rows.Err())
	return strings.Join(lines, "\n") + "\n"
}
