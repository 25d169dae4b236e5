package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/changes"
	"versiond/service/state"
)

// applied is the state machine over a real store: the test is its applier.
type applied struct {
	*stateMachine
	identity model.Identity
	at       model.Position
}

func mustApplied(t *testing.T) *applied {
	t.Helper()
	mysqlService, redisService := mustServices(t, mustStore(t, t.TempDir()), nil)
	a := &applied{
		stateMachine: newStateMachine(mysqlService, redisService, changes.WatchersMax, unobserved{}.Diverged, slog.New(slog.DiscardHandler)),
		identity:     model.Identity{Cluster: "cluster1", Node: "node1", Store: "store1"},
	}
	require.NoError(t, a.RestoreInternal(t.Context(), a.identity, model.Position{}, recordsOnly(func() (model.Version, error) { return model.Version{}, io.EOF })))
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
	return a
}

// recordsOnly is a snapshot in which nothing is remembered and no change is kept, but from now on.
type recordsOnly func() (model.Version, error)

func (recordsOnly) NextDedupRecord() (model.DedupRecord, error) { return model.DedupRecord{}, io.EOF }
func (recordsOnly) ChangesFrom() (uint64, error)                { return 1, nil }
func (recordsOnly) NextChange() (model.Change, error)           { return model.Change{}, io.EOF }
func (next recordsOnly) NextRecord() (model.Version, error)     { return next() }

// group applies entries in one transaction, as the applier does, and returns their outcomes.
func (a *applied) group(t *testing.T, entries ...[]model.Command) [][]model.Outcome {
	t.Helper()
	outcomes := make([][]model.Outcome, len(entries))
	to := a.at
	for i, commands := range entries {
		to = model.Position{Index: to.Index + 1, Term: 1}
		for position, c := range commands {
			outcomes[i] = append(outcomes[i], a.dispatch(c, model.Revision(to.Index, position)))
		}
	}
	require.NoError(t, a.CommitInternal(t.Context(), a.identity.Store, a.at, to))
	a.PublishInternal()
	a.CacheInternal()
	a.at = to
	return outcomes
}

func (a *applied) dispatch(c model.Command, revision uint64) model.Outcome {
	switch c.Type {
	case model.CommandAdd:
		return a.AddVersionInternal(c, revision, nil)
	case model.CommandUpdate:
		return a.UpdateVersionInternal(c, revision, nil)
	}
	return a.DeleteVersionInternal(c, revision, nil)
}

// rows reads every row from the database, and makes sure that the revision index, the running checksum
// and the one in the state row say the same.
func (a *applied) rows(t *testing.T) map[string]model.Version {
	t.Helper()
	rows, sum := map[string]model.Version{}, state.Sum{}
	view, err := a.OpenViewInternal(t.Context())
	require.NoError(t, err)
	require.NoError(t, a.mysql.GetAllVersions(t.Context(), view, func(page []model.Version) error {
		for _, v := range page {
			current, exists := a.mysql.records.Get(v.ID)
			require.True(t, exists, v.ID)
			require.Equal(t, state.MarkOf(&v), current, v.ID)
			rows[v.ID] = v
			sum.Add(&v)
		}
		return nil
	}))
	require.NoError(t, view.Close())
	for _, m := range a.remembered(t) {
		sum.AddDedup(&m)
	}
	for _, c := range a.changes(t) {
		sum.AddChange(&c)
	}
	sum.SetChangesFrom(a.ChangesFromInternal())
	require.Equal(t, len(rows), a.mysql.records.Len())
	require.Equal(t, sum, a.mysql.records.Sum())
	require.Equal(t, sum, a.mysql.records.StagedSum())
	state, err := a.StateInternal(t.Context())
	require.NoError(t, err)
	require.Equal(t, sum.Checksum(), state.Checksum)
	return rows
}

// changes reads every change that the store has.
func (a *applied) changes(t *testing.T) (list []model.Change) {
	t.Helper()
	require.NoError(t, a.mysql.mysqlDao.ForEachChange(t.Context(), func(c model.Change) error { list = append(list, c); return nil }))
	return list
}

func add(id, versionNo string) model.Command {
	return model.Command{Type: model.CommandAdd, ID: id, VersionNo: versionNo, Platform: "linux"}
}

func update(id, versionNo string, ifRevision uint64) model.Command {
	return model.Command{Type: model.CommandUpdate, ID: id, VersionNo: versionNo, Platform: "linux", IfRevision: ifRevision}
}

func remove(id string, ifRevision uint64) model.Command {
	return model.Command{Type: model.CommandDelete, ID: id, IfRevision: ifRevision}
}

// decide is what a command should do to the records, said as simply as it can be.
func decide(rows map[string]model.Version, c model.Command, revision uint64) model.Outcome {
	row, exists := rows[c.ID]
	switch {
	case c.Type == model.CommandAdd && exists:
		return model.Outcome{Code: model.OutcomeAlreadyExists, Revision: row.Revision}
	case c.Type != model.CommandAdd && !exists:
		return model.Outcome{Code: model.OutcomeNotFound}
	case c.IfRevision != 0 && c.IfRevision != row.Revision:
		return model.Outcome{Code: model.OutcomeRevisionMismatch, Revision: row.Revision}
	case c.Type == model.CommandDelete:
		delete(rows, c.ID)
	default:
		rows[c.ID] = model.Version{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Revision: revision}
	}
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

// Commands of one group see what those before them did, though nothing is in the database yet. If
// this fails, two clients both create a record, or an If-Match covers a lost update.
func TestCommandsOfOneGroupSeeEachOther(t *testing.T) {
	made := func(position int) uint64 { return model.Revision(2, position) } // the group is entry 2
	for name, commands := range map[string][]model.Command{
		"add twice":                       {add("a", "1"), add("a", "2")},
		"add, update, delete, add":        {add("a", "1"), update("a", "2", 0), remove("a", 0), add("a", "3")},
		"delete, then update":             {remove("old", 0), update("old", "2", 0)},
		"delete, then delete":             {remove("old", 0), remove("old", 0)},
		"delete, then add":                {remove("old", 0), add("old", "2")},
		"update of nothing":               {update("a", "1", 0), add("a", "2")},
		"update at its revision":          {update("old", "2", model.Revision(1, 0)), update("old", "3", made(0))},
		"update at a past revision":       {update("old", "2", 0), update("old", "3", model.Revision(1, 0))},
		"update at a revision to come":    {add("a", "1"), update("a", "2", made(1))},
		"update at no revision":           {add("a", "1"), update("a", "2", 0), update("a", "3", 0)},
		"delete at its revision":          {add("a", "1"), remove("a", made(0))},
		"delete at another revision":      {add("a", "1"), remove("a", made(5)), update("a", "2", made(0))},
		"a refused command stages none":   {update("old", "2", 7), remove("old", 7), add("old", "9")},
		"a revision of the one before it": {add("a", "1"), remove("a", 0), add("a", "2"), update("a", "3", made(0))},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustApplied(t)
			a.group(t, []model.Command{add("old", "1")})
			want := map[string]model.Version{"old": {ID: "old", VersionNo: "1", Platform: "linux", Revision: model.Revision(1, 0)}}
			outcomes := make([]model.Outcome, len(commands))
			for i, c := range commands {
				outcomes[i] = decide(want, c, made(i))
			}
			require.Equal(t, [][]model.Outcome{outcomes}, a.group(t, commands))
			require.Equal(t, want, a.rows(t))
		})
	}
}

// What was decided for a group that is given up, when the store turns out to have moved, must leave
// no trace: the same entries are decided again.
func TestDiscardedDecisionsLeaveNoTrace(t *testing.T) {
	a := mustApplied(t)
	a.group(t, []model.Command{add("old", "1")})
	before := a.rows(t)
	require.Equal(t, model.OutcomeDone, a.AddVersionInternal(add("a", "1"), 99, nil).Code)
	require.Equal(t, model.OutcomeDone, a.DeleteVersionInternal(remove("old", 0), 100, nil).Code)
	err := a.CommitInternal(t.Context(), "another store", a.at, model.Position{Index: 9, Term: 9})
	require.ErrorIs(t, err, model.ErrStateMoved)
	a.DiscardInternal()
	require.Equal(t, before, a.rows(t))
	outcomes := a.group(t, []model.Command{add("a", "1"), add("old", "2")})
	require.Equal(t, model.OutcomeDone, outcomes[0][0].Code)
	require.Equal(t, model.OutcomeAlreadyExists, outcomes[0][1].Code)
}

// Before PublishInternal a reader must see nothing of what is decided: it may yet be decided anew.
func TestReadersSeeNothingBeforePublish(t *testing.T) {
	a := mustApplied(t)
	a.group(t, []model.Command{add("old", "1")})
	a.AddVersionInternal(add("a", "1"), 99, nil)
	a.DeleteVersionInternal(remove("old", 0), 100, nil)
	_, exists := a.mysql.VersionExists("a")
	require.False(t, exists)
	_, exists = a.mysql.VersionExists("old")
	require.True(t, exists)
	_, cached := a.redis.GetVersionByID(t.Context(), "a", state.Mark{Revision: 99})
	require.False(t, cached)
}

// While a store is loaded its index has some of the records. If this fails, who asks for the newest then has all others
// answered from these few, until one of them changes.
func TestNothingIsKeptOfQuestionsWhileTheStoreIsLoaded(t *testing.T) {
	a := mustApplied(t)
	commands := make([]model.Command, storePageSize+1)
	for i := range commands {
		commands[i] = add(fmt.Sprintf("id-%05d", i), "1")
	}
	a.group(t, commands)
	which := model.Candidates{IDs: []string{commands[0].ID, commands[storePageSize].ID}}
	meanwhile := 0
	ctx := model.WithWork(t.Context(), func() {
		_, first := a.mysql.records.Get(which.IDs[0])
		if _, last := a.mysql.records.Get(which.IDs[1]); !first || last || meanwhile > 0 {
			return
		}
		_, _, err := a.candidates.Load(t.Context(), which, func() uint64 { return a.at.Index }, func(context.Context) (records []model.VersionDB, _ uint64, _ error) {
			for _, id := range which.IDs {
				if _, exists := a.mysql.records.Get(id); exists {
					records = append(records, record(id, "1"))
				}
			}
			meanwhile = len(records)
			return records, 0, nil
		})
		require.NoError(t, err)
	})
	require.NoError(t, a.LoadInternal(ctx, a.identity.Cluster))
	require.Equal(t, 1, meanwhile, "one is loaded by then")
	_, _, kept := a.candidates.Get(which)
	require.False(t, kept)
}

// A restored store must be what the snapshot holds, whatever was there before, and its position the
// snapshot's; broken off half-way it must not pass for whole.
func TestRestoreReplacesEverything(t *testing.T) {
	a := mustApplied(t)
	a.group(t, []model.Command{add("old", "1"), add("both", "1")})
	want := map[string]model.Version{}
	for i := range 2*storePageSize + 1 {
		id := fmt.Sprintf("new-%04d", i)
		want[id] = model.Version{ID: id, VersionNo: "2", Platform: "linux", Revision: uint64(i + 1)}
	}
	rest := slices.Collect(maps.Values(want))
	next := func() (model.Version, error) {
		if len(rest) == 0 {
			return model.Version{}, io.EOF
		}
		v := rest[0]
		rest = rest[1:]
		return v, nil
	}
	broken := func() (model.Version, error) { return model.Version{}, model.ErrCorrupt }
	at := model.Position{Index: 500, Term: 3}
	require.ErrorIs(t, a.RestoreInternal(t.Context(), a.identity, at, recordsOnly(broken)), model.ErrCorrupt)
	state, err := a.StateInternal(t.Context())
	require.NoError(t, err)
	require.True(t, state.Restoring)

	require.NoError(t, a.RestoreInternal(t.Context(), a.identity, at, recordsOnly(next)))
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
	require.Equal(t, want, a.rows(t))
	state, err = a.StateInternal(t.Context())
	require.NoError(t, err)
	require.Equal(t, model.StoreState{Identity: a.identity, Applied: at, Checksum: a.mysql.records.Sum().Checksum(), Shape: state.Shape, ChangesFrom: 1}.Sealed(), state)
}
