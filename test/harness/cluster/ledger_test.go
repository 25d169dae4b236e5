package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
)

func recordAt(versionNo string, revision uint64) *model.VersionDB {
	return &model.VersionDB{ID: "a", VersionNo: versionNo, Platform: "linux", Revision: revision}
}

func rowAt(versionNo string, revision uint64) []model.Version {
	return []model.Version{model.Version(*recordAt(versionNo, revision))}
}

// TestLedgerTellsRightFromWrong breaks when the crash tests would not notice a lost, doubled or
// invented write, or would take a lawful outcome for one.
func TestLedgerTellsRightFromWrong(t *testing.T) {
	created := func(l *Ledger) { l.note("a", recordAt("1", 100), 0) }
	updating := func(l *Ledger) { created(l); l.noteUnknown("a", recordAt("2", 0)) }
	deleting := func(l *Ledger) { created(l); l.noteUnknown("a", nil) }
	creating := func(l *Ledger) { l.noteUnknown("a", recordAt("1", 0)) }
	deleted := func(l *Ledger) { created(l); l.note("a", nil, 0) }
	tests := map[string]struct {
		told  func(l *Ledger)
		rows  []model.Version
		right bool
	}{
		"created and there":                  {created, rowAt("1", 100), true},
		"created and lost":                   {created, nil, false},
		"created and done twice":             {created, rowAt("1", 101), false},
		"created and other content":          {created, rowAt("2", 100), false},
		"update unanswered and not done":     {updating, rowAt("1", 100), true},
		"update unanswered and done":         {updating, rowAt("2", 101), true},
		"update unanswered and lost":         {updating, nil, false},
		"update unanswered, revision kept":   {updating, rowAt("2", 100), false},
		"update unanswered, revision older":  {updating, rowAt("2", 99), false},
		"update unanswered, content of none": {updating, rowAt("3", 101), false},
		"delete unanswered and not done":     {deleting, rowAt("1", 100), true},
		"delete unanswered and done":         {deleting, nil, true},
		"delete unanswered, written again":   {deleting, rowAt("1", 101), false},
		"create unanswered and not done":     {creating, nil, true},
		"create unanswered and done":         {creating, rowAt("1", 7), true},
		"deleted and gone":                   {deleted, nil, true},
		"deleted and back":                   {deleted, rowAt("1", 100), false},
		"written by nobody":                  {func(*Ledger) {}, rowAt("1", 100), false},
		"a wrong answer":                     {func(l *Ledger) { l.violate(Wrong, "wrong") }, nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			tt.told(l)
			found := l.Violations(tt.rows)
			require.Equal(t, tt.right, len(found) == 0, "%v", found)
		})
	}
}

// TestLedgerTellsLostFromDoubled breaks when the table of a chaos run says the one where the other happened.
func TestLedgerTellsLostFromDoubled(t *testing.T) {
	for name, tt := range map[string]struct {
		rows []model.Version
		kind Kind
	}{
		"gone":       {nil, Lost},
		"older":      {rowAt("1", 100), Lost},
		"done again": {rowAt("2", 300), Doubled},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			l.note("a", recordAt("1", 100), 0)
			l.note("a", recordAt("2", 200), 0)
			found := l.Violations(tt.rows)
			require.Len(t, found, 1)
			require.Equal(t, tt.kind, found[0].Kind)
		})
	}
}

// TestReadsAreJudgedByLevelAndLabel breaks when a load takes a stale answer for a right one, or the
// former state that a weak level may give for a wrong one.
func TestReadsAreJudgedByLevelAndLabel(t *testing.T) {
	none := model.ReadOptions{Level: model.LevelNone}
	for name, tt := range map[string]struct {
		got   *model.VersionDB
		opts  model.ReadOptions
		label uint64
		kind  Kind
	}{
		"current":                         {recordAt("2", 200), none, 3, ""},
		"former, linearizable":            {recordAt("1", 100), model.ReadOptions{Level: model.LevelLinearizable}, 3, Stale},
		"former, after waiting for it":    {recordAt("1", 100), model.ReadOptions{Level: model.LevelNone, MinIndex: 9}, 3, Stale},
		"former, none":                    {recordAt("1", 100), none, 3, ""},
		"former, leader":                  {recordAt("1", 100), model.ReadOptions{Level: model.LevelLeader}, 3, ""},
		"former, labelled as current":     {recordAt("1", 100), none, 5, Stale},
		"absent, not yet created":         {nil, none, 3, ""},
		"absent, labelled as current":     {nil, none, 5, Stale},
		"former revision, other contents": {recordAt("9", 100), none, 3, Wrong},
		"never written":                   {recordAt("3", 300), none, 3, Wrong},
	} {
		t.Run(name, func(t *testing.T) {
			r := &owned{id: "a", now: recordAt("2", 200), since: 5, past: []model.VersionDB{*recordAt("1", 100)}, answered: true}
			require.Equal(t, tt.kind, r.judge(tt.got, tt.opts, tt.label))
		})
	}
}

// TestRedisComparison breaks when a wrong value in Redis would pass for a right one.
func TestRedisComparison(t *testing.T) {
	rows := byID(rowAt("1", 100))
	right := dao.CachedVersion{VersionDB: *recordAt("1", 100), Cluster: "c"}
	older := dao.CachedVersion{VersionDB: *recordAt("0", 99), Cluster: "c"}
	newer := dao.CachedVersion{VersionDB: *recordAt("1", 101), Cluster: "c"}
	other := dao.CachedVersion{VersionDB: *recordAt("2", 100), Cluster: "c"}

	require.NoError(t, compareCached("a", right, rows, "c"))
	require.NoError(t, compareCached("a", older, rows, "c"), "readers see that it is old")
	require.Error(t, compareCached("a", newer, rows, "c"))
	require.Error(t, compareCached("a", other, rows, "c"))

	reloaded := func(cached map[string]dao.CachedVersion) error { return compareReloaded(cached, rows, "c") }
	require.NoError(t, reloaded(map[string]dao.CachedVersion{"a": right}))
	require.Error(t, reloaded(map[string]dao.CachedVersion{"a": older}))
	require.Error(t, reloaded(nil))
	require.Error(t, reloaded(map[string]dao.CachedVersion{"a": {VersionDB: model.VersionDB{ID: "b", VersionNo: "1", Platform: "linux", Revision: 100}, Cluster: "c"}}), "another record under the key")
	require.Error(t, reloaded(map[string]dao.CachedVersion{"a": right, "gone": right}))
}
