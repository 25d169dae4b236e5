package recovery

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/test/fakestore"
)

// newKept leaves a store whose directory is gone.
func newKept(t *testing.T) recoverable {
	t.Helper()
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "first", 30)
	r := recoverable{testConfig: c, want: c.store.Rows(), last: n.AppliedIndex()}
	n.close(t)
	c.store.State.ChangesFrom = 1
	require.NoError(t, os.RemoveAll(c.path))
	return r
}

func (c recoverable) recoverFromRecords(t *testing.T, confirmed bool, at func(string)) (plan Plan, err error) {
	t.Helper()
	dir, err := OpenBlank(c.path, "node1", confirmed)
	if err != nil {
		return plan, err
	}
	defer func() { require.NoError(t, dir.Close()) }()
	kept := fakestore.NewService(c.store)
	state, err := kept.StateInternal(t.Context())
	require.NoError(t, err)
	view, err := kept.OpenViewInternal(t.Context())
	require.NoError(t, err)
	cfg := c.recoverConfig(dir, confirmed, &plan)
	cfg.at = at
	return plan, errors.Join(FromDatabase(t.Context(), cfg, state, view), view.Close())
}

// A kept database must make a cluster with just its records, at whatever moment the recovery is killed
// and begun again. If this fails, a lost data directory is the end of what the database still has.
func TestRecoverFromDatabaseKilledAtEachStep(t *testing.T) {
	c := newKept(t)
	plan, err := c.recoverFromRecords(t, false, nil)
	require.ErrorIs(t, err, ErrNotConfirmed)
	require.NoDirExists(t, c.path, "a recovery that was not confirmed made a directory")
	require.EqualValues(t, len(c.want), plan.Records)
	require.Equal(t, "cluster1", plan.Former)

	var killed []killedAt
	_, err = c.recoverFromRecords(t, true, c.copiesAt(t, &killed))
	require.NoError(t, err)
	require.Equal(t, c.want, c.store.Rows(), "the kept database was written to")
	steps := make([]string, len(killed))
	for i, k := range killed {
		steps[i] = k.step
		if i < 2 {
			require.NoError(t, os.RemoveAll(k.left.path)) // nothing was in it yet
		} else {
			k.requireNoHalfStart(t, "")
			_, err := k.left.recoverFromLog(t, true, nil)
			require.ErrorContains(t, err, "--from-database", k.step)
		}
		_, err := k.left.recoverFromRecords(t, true, nil)
		require.NoError(t, err, k.step)
		k.left.requireRecovered(t, "cluster1", c.want)
	}
	require.Equal(t, []string{"shown", "backed up", "marked", "term written", "snapshot written"}, steps)
	c.requireRecovered(t, "cluster1", c.want)
	require.Equal(t, model.Revision(plan.Last.Index+recoveryGap, 0), c.store.State.ChangesFrom, "a watcher of before would miss what is lost")
}

// A database that is no whole copy, or a directory that has more, must not begin a cluster.
func TestRecoverFromDatabaseRefuses(t *testing.T) {
	t.Run("a directory with Raft state", func(t *testing.T) {
		c := newRecoverable(t)
		before := filesOf(t, c.path)
		_, err := c.recoverFromRecords(t, true, nil)
		require.ErrorContains(t, err, "without --from-database")
		require.Equal(t, before, filesOf(t, c.path))
	})
	t.Run("half restored", func(t *testing.T) {
		c := newKept(t)
		c.store.State.Restoring = true
		_, err := c.recoverFromRecords(t, true, nil)
		require.ErrorIs(t, err, model.ErrCorrupt)
		require.NoFileExists(t, c.path+"/"+datadir.IdentityFile)
	})
	t.Run("empty", func(t *testing.T) {
		c := newKept(t)
		clear(c.store.Table)
		_, err := c.recoverFromRecords(t, true, nil)
		require.ErrorIs(t, err, errNothingLeft)
		require.NoFileExists(t, c.path+"/"+datadir.IdentityFile)
	})
}
