package dao_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
	"versiond/test/damage"
)

// seenByRows is damage that shows only to who reads the rows, or to nobody.
var seenByRows = []string{"table of records emptied", "table of records truncated", "another table refers to the records"}

// testDamage breaks when something that somebody does to the database passes for what the node left, when the
// applier would retry for ever over it, and when the database cannot be built anew under a running node.
func (s *store) testDamage(t *testing.T) {
	for _, group := range damage.Groups() {
		for _, kind := range group.Kinds {
			if statements := s.damage(kind); statements != nil {
				t.Run(kind.Name, func(t *testing.T) { s.requireMended(t, s, kind, group.Name == "rows") })
			}
		}
	}
}

// testDamageMeanwhile is testDamage for a process that begins on such a database.
func (s *store) testDamageMeanwhile(t *testing.T) {
	for _, kind := range damage.Kinds() {
		if statements := s.damage(kind); statements != nil {
			t.Run(kind.Name, func(t *testing.T) {
				begun := &store{VersionMysqlDao: &dao.VersionMysqlDao{DB: s.DB, CreateDatabase: s.CreateDatabase}}
				s.requireMended(t, begun, kind, true)
			})
		}
	}
}

func (s *store) requireMended(t *testing.T, next *store, kind damage.Kind, unseen bool) {
	t.Helper()
	ctx := t.Context()
	s.mustCreate(t)
	require.NoError(t, s.DeleteAll(ctx))
	for range 3 {
		s.mustChange(t, model.Changes{Upserts: []model.Version{version("a", 1), version("b", 2)}, DedupRecords: someDedupRecords(1, 2), Log: []model.Change{someChange(9)}})
	}
	left := s.mustState(t)
	require.NoError(t, s.CheckShape(ctx, left))
	for _, statement := range s.damage(kind) {
		require.NoError(t, s.DB.Exec(statement).Error, statement)
	}
	if !unseen && !slices.Contains(seenByRows, kind.Name) {
		requireSeen(t, s)
	}
	becomes := left
	becomes.Applied = after(left.Applied)
	err := s.Apply(ctx, left, becomes.Sealed(), model.Changes{Upserts: []model.Version{version("c", 3)}, Deletes: []string{"a"}, DedupRecords: someDedupRecords(3, 1), Log: []model.Change{someChange(10)}})
	if err != nil {
		require.ErrorIs(t, err, model.ErrStateMoved, "it would be tried again for ever")
	}
	require.NoError(t, next.BeginRestore(ctx, identity))
	require.NoError(t, next.DeleteAll(ctx))
	require.NoError(t, next.InsertBatch(ctx, []model.Version{version("whole", 1)}))
	require.NoError(t, next.InsertDedupRecords(ctx, someDedupRecords(7, 2)))
	require.NoError(t, next.InsertChanges(ctx, []model.Change{someChange(11)}))
	require.NoError(t, next.FinishRestore(ctx, identity, restoredAt, checksum, 0))
	require.NoError(t, next.CheckShape(ctx, next.mustState(t)))
	next.mustChange(t, model.Changes{Upserts: []model.Version{version("after", 1)}, DedupRecords: someDedupRecords(9, 1), Log: []model.Change{someChange(12)}})
	require.Equal(t, []model.Change{someChange(11), someChange(12)}, next.mustKept(t))
	require.Equal(t, []string{"after", "whole"}, next.mustIDs(t))
	require.Equal(t, someDedupRecords(7, 3), next.mustRemembered(t))
}

func requireSeen(t *testing.T, s *store) {
	t.Helper()
	state, err := s.State(t.Context())
	if err == nil {
		err = s.CheckShape(t.Context(), state)
	}
	require.True(t, errors.Is(err, model.ErrNoState) || errors.Is(err, model.ErrStoreDiffers), "nobody sees it: %+v %v", state, err)
}

// testDamageIsNamed breaks when operators are told that something was changed, and not where.
func (s *store) testDamageIsNamed(t *testing.T) {
	for name, words := range map[string]string{
		"index added":                               "table versions is not as this node made it",
		"index dropped":                             "table versions is not as this node made it",
		"table of changes dropped":                  "table version_changes is gone",
		"column of changes dropped":                 "table version_changes is not as this node made it",
		"table of dedup records dropped":            "table versiond_idempotency is gone",
		"table of dedup records replaced by a view": "table versiond_idempotency is not as this node made it",
		"trigger that changes what is written":      "somebody has put a trigger on its tables",
		"table of records replaced by another":      "table versions is not as this node made it",
		"table of records dropped":                  "table versions is gone",
	} {
		t.Run(name, func(t *testing.T) {
			s.mustCreate(t)
			left := s.mustState(t)
			kinds := damage.Kinds()
			kind := kinds[slices.IndexFunc(kinds, func(k damage.Kind) bool { return k.Name == name })]
			for _, statement := range s.damage(kind) {
				require.NoError(t, s.DB.Exec(statement).Error, statement)
			}
			err := s.CheckShape(t.Context(), left)
			require.ErrorIs(t, err, model.ErrStoreDiffers)
			require.Regexp(t, ": "+regexp.QuoteMeta(words)+"$", err.Error(), "that, and nothing else")
		})
	}
}
