package state

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// Rows that are written as plain ones leave the columns of details alone. A row that has details, or takes the place of
// one, also of one that was deleted just before, must not be, or what was cleared would stay in the table.
func TestOnlyRowsThatNeverHadDetailsArePlain(t *testing.T) {
	r := New(DefaultDedupLimits, DefaultChangeLimits)
	plain := func(changes ...Change) bool {
		for _, c := range changes {
			r.Stage(c, nil)
		}
		was := r.Changes().Plain
		r.Publish()
		return was
	}
	row := func(id string, details *model.Details) Change {
		return Change{Version: model.Version{ID: id, VersionNo: "1", Platform: "ios", Revision: 1, Details: details}}
	}
	gone := func(id string) Change { return Change{Version: model.Version{ID: id}, Deleted: true} }
	withdrawn := &model.Details{Withdrawn: true}

	require.True(t, plain(row("a", nil), row("b", nil)))
	require.False(t, plain(row("c", nil), row("a", withdrawn)), "it has details")
	require.True(t, plain(row("b", nil)), "of another one")
	require.False(t, plain(row("a", nil)), "it had details")
	require.True(t, plain(row("a", nil)), "it has none any more")
	require.False(t, plain(row("b", withdrawn), row("c", nil)))
	require.False(t, plain(gone("b"), row("b", nil)), "it was deleted in the same transaction")
}
