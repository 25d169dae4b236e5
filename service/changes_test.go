package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// Every command that was done is one change, several of the same record too, and one that was refused or taken back is none:
// the history of a record is what was acknowledged.
func TestEveryCommandThatIsDoneIsAChange(t *testing.T) {
	a := mustApplied(t)
	by := &model.Origin{At: 1_700_000_000_123, By: "ci"}
	percent := uint8(5)
	details := &model.Details{RolloutPercent: &percent}
	detailed := update("a", "2", 0)
	detailed.Details, detailed.DetailNames, detailed.Platform = details, details.DetailNames(), "ios"

	a.AddVersionInternal(add("a", "1"), model.Revision(1, 0), by)
	a.AddVersionInternal(add("a", "1"), model.Revision(1, 1), by) // refused
	a.UpdateVersionInternal(detailed, model.Revision(1, 2), nil)
	a.BeginAtomicInternal()
	a.UpdateVersionInternal(update("a", "3", 0), model.Revision(1, 3), by)
	a.AddVersionInternal(add("b", "1"), model.Revision(1, 4), by)
	a.EndAtomicInternal(false)
	a.group(t)
	a.DeleteVersionInternal(remove("a", 0), model.Revision(2, 0), by)
	a.BeginAtomicInternal()
	a.AddVersionInternal(add("a", "4"), model.Revision(2, 1), nil)
	a.UpdateVersionInternal(update("a", "5", 0), model.Revision(2, 2), nil)
	a.EndAtomicInternal(true)
	a.group(t)

	require.Equal(t, []model.Change{
		{Revision: model.Revision(1, 0), Op: model.ChangeCreate, ID: "a", VersionNo: "1", Platform: "linux", At: by.At, By: by.By},
		{Revision: model.Revision(1, 2), Op: model.ChangeUpdate, ID: "a", VersionNo: "2", Platform: "ios", WasPlatform: "linux", Details: details},
		{Revision: model.Revision(2, 0), Op: model.ChangeDelete, ID: "a", Platform: "ios", At: by.At, By: by.By},
		{Revision: model.Revision(2, 1), Op: model.ChangeCreate, ID: "a", VersionNo: "4", Platform: "linux"},
		{Revision: model.Revision(2, 2), Op: model.ChangeUpdate, ID: "a", VersionNo: "5", Platform: "linux"},
	}, a.changes(t))
	a.rows(t) // compares the sums
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster), "the checksum counts something else")
}

// Whoever reads on behind what was let go must be told so by what it reads: a gap that nobody sees is a lost change.
func TestTheFloorBelongsToWhatWasRead(t *testing.T) {
	a := mustApplied(t)
	a.forgetSoon(t)
	for i := range 60 {
		a.group(t, []model.Command{add(string(rune('a'+i)), "1")})
		kept, index, err := a.mysql.changesAfter(t.Context(), 1, 100)
		require.NoError(t, err)
		require.Equal(t, a.at.Index, index)
		require.Equal(t, model.Revision(a.at.Index, 0), kept.list[len(kept.list)-1].Revision)
		require.Equal(t, kept.floor, a.mysql.changesFloor())
		require.Len(t, kept.list, int(a.at.Index-model.IndexOf(kept.floor)), "a change after the floor is missing")
	}
	require.NotEqual(t, uint64(1), a.mysql.changesFloor(), "nothing was let go")
}

// A history is read back to the change that created the record, also of one that is deleted, and says when it does not go
// back so far.
func TestHistoryGoesBackToTheCreation(t *testing.T) {
	a := mustApplied(t)
	a.forgetSoon(t) // 3 of an id, beyond the newest 12
	a.group(t, []model.Command{add("a", "1"), update("a", "2", 0), add("b", "1"), remove("b", 0)})
	read := func(id string, before uint64, limit int) model.History {
		history, index, err := a.mysql.history(t.Context(), model.HistoryOptions{ID: id, Before: before, Limit: limit})
		require.NoError(t, err)
		require.Equal(t, a.at.Index, index)
		return history
	}
	ops := func(h model.History) (list []model.ChangeOp) {
		for _, c := range h.Items {
			list = append(list, c.Op)
		}
		return list
	}
	first := read("a", 0, 1)
	require.Equal(t, []model.ChangeOp{model.ChangeUpdate}, ops(first))
	require.True(t, first.Complete)
	rest := read("a", first.Next, 1)
	require.Equal(t, []model.ChangeOp{model.ChangeCreate}, ops(rest))
	require.Zero(t, rest.Next)
	require.Equal(t, []model.ChangeOp{model.ChangeDelete, model.ChangeCreate}, ops(read("b", 0, 10)))
	require.Empty(t, read("nobody", 0, 10).Items)

	for range 20 {
		a.group(t, []model.Command{update("a", "3", 0)})
	}
	require.False(t, read("a", 0, 1).Complete, "its create was let go")
	require.Len(t, read("a", 0, 100).Items, 12, "what everybody may resume in stays")
	require.True(t, read("b", 0, 100).Complete)
}

// A page of the history of a deleted record is empty where the changes behind it were let go since the page before, as that of a
// record is. It is none only once nothing is kept of the id.
func TestALaterPageOfADeletedRecordMayBeEmpty(t *testing.T) {
	n := nodeOptions{}.mustLead(t)
	created := n.mustAdd(t, "a", "1").Record.Revision
	_, err := n.DeleteVersion(t.Context(), "a", model.WriteOptions{})
	require.NoError(t, err)
	page := func(id string, before uint64) (model.History, error) {
		history, _, err := n.History(t.Context(), model.HistoryOptions{ID: id, Before: before, Limit: 1}, model.ReadOptions{Level: model.LevelNone})
		return history, err
	}
	first, err := page("a", 0)
	require.NoError(t, err)
	require.Len(t, first.Items, 1)
	last, err := page("a", created)
	require.NoError(t, err)
	require.Empty(t, last.Items)
	require.Zero(t, last.Next)
	_, err = page("nobody", created)
	require.ErrorIs(t, err, model.ErrNotFound)
}

// A history that somebody has changed is not shown.
func TestForgedChangesAreNotServed(t *testing.T) {
	for name, statement := range map[string]string{
		"changed": "UPDATE version_changes SET changed_by = 'nobody' WHERE op = 'update'",
		"deleted": "DELETE FROM version_changes WHERE op = 'update'",
	} {
		t.Run(name, func(t *testing.T) {
			a := mustApplied(t)
			a.group(t, []model.Command{add("a", "1"), update("a", "2", 0)})
			require.NoError(t, a.mysql.mysqlDao.DB.Exec(statement).Error)
			_, _, err := a.mysql.history(t.Context(), model.HistoryOptions{ID: "a", Limit: 9})
			require.ErrorIs(t, err, model.ErrStoreDiffers)
		})
	}
}
