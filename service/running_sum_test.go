package service

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// The running checksum must be that of the rows after any history: of groups, of decisions that are
// given up and made again, and of restores. If it is not, a healthy node is taken for a broken one.
func TestRunningSumIsThatOfTheRows(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a, random := mustApplied(t), rand.New(rand.NewPCG(seed, 1))
			for rest := randomEntries(seed, 90); len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(6))
				switch random.IntN(4) {
				case 0:
					a.giveUp(rest[0])
				case 1:
					a.restoreItself(t)
				}
				a.group(t, rest[:n]...)
				rest = rest[n:]
				a.rows(t) // compares
			}
		})
	}
}

// giveUp decides commands as if they were to be applied, and discards what came of it.
func (a *applied) giveUp(commands []model.Command) {
	for position, c := range commands {
		a.dispatch(c, model.Revision(a.at.Index+1, position))
	}
	a.DiscardInternal()
}

// restoreItself replaces the records by themselves, as loading a snapshot of this moment does.
func (a *applied) restoreItself(t *testing.T) {
	t.Helper()
	before, all := a.mysql.records.Sum(), a.snapshot(t)
	require.NoError(t, a.RestoreInternal(t.Context(), a.identity, a.at, all))
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
	require.Equal(t, before, a.mysql.records.Sum(), "the order in which records come must not matter")
}

// What was changed while the node was down must not be taken for what the log made of it.
func TestLoadFindsWhatWasChangedMeanwhile(t *testing.T) {
	for name, statement := range map[string]string{
		"a row changed":            "UPDATE versions SET version_no = 'forged' WHERE id = 'a'",
		"a row deleted":            "DELETE FROM versions WHERE id = 'a'",
		"a row added":              "INSERT INTO versions (id, version_no, platform, revision) VALUES ('c', '1', 'linux', 1)",
		"a change changed":         "UPDATE version_changes SET changed_by = 'somebody' WHERE id = 'a'",
		"a change deleted":         "DELETE FROM version_changes WHERE id = 'a'",
		"a change added":           "INSERT INTO version_changes (revision, op, id, platform) VALUES (1, 'delete', 'c', 'linux')",
		"a change at no time":      "UPDATE version_changes SET changed_at = 'yesterday'",
		"two contents interchange": "UPDATE versions SET version_no = CASE id WHEN 'a' THEN '2' ELSE '1' END",
	} {
		t.Run(name, func(t *testing.T) {
			a := mustApplied(t)
			a.group(t, []model.Command{add("a", "1"), add("b", "2")})
			require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
			require.NoError(t, a.mysql.mysqlDao.DB.Exec(statement).Error)
			require.ErrorIs(t, a.LoadInternal(t.Context(), a.identity.Cluster), model.ErrStoreDiffers)
		})
	}
}
