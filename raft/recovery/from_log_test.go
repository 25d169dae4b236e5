package recovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	hashicorp "github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/test/fakestore"
	"versiond/test/units"
)

// mustLoseQuorum adds a voter that does not exist, so that nothing is committed any more, and leaves
// an entry that nobody acknowledged.
func (n *testNode) mustLoseQuorum(t *testing.T) {
	t.Helper()
	last := n.Status().LastIndex
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	go func() { _ = n.AddVoter(ctx, "node2", "127.0.0.1:1") }() // it cannot be committed
	require.Eventually(t, func() bool { return n.Status().LastIndex > last }, 5*time.Second, time.Millisecond)
	_, err := n.Propose(ctx, units.Singles(add("unacknowledged")))
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
}

// filesOf returns a hash of every file below path, but for the lock and what a kill leaves unfinished.
func filesOf(t *testing.T, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || datadir.IsScratch(e.Name()) {
			return err
		}
		data, err := os.ReadFile(name)
		files[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	}))
	return files
}

// recoverable is what is left of a cluster: node1's directory and store.
type recoverable struct {
	testConfig
	want map[string]model.Version
	last uint64
}

// newRecoverable leaves a directory with a snapshot, a log behind it, and an end that was never
// committed.
func newRecoverable(t *testing.T) recoverable {
	t.Helper()
	c := newTestConfig(t)
	c.tuning.SnapshotInterval, c.tuning.SnapshotThreshold = 10*time.Millisecond, 10
	n := c.mustLead(t)
	n.mustAdd(t, "first", 20)
	require.Eventually(t, func() bool {
		found, err := filepath.Glob(filepath.Join(c.path, datadir.SnapshotsFolder, "*[0-9]", "state.bin"))
		return err == nil && len(found) > 0
	}, 10*time.Second, time.Millisecond)
	n.close(t)
	c.tuning = quietTuning
	n = c.mustLead(t)
	n.mustAdd(t, "second", 20)
	n.propose(t, model.Command{Type: model.CommandDelete, ID: "first-003"}, add("second-004"))
	n.mustLoseQuorum(t)
	r := recoverable{testConfig: c, want: c.store.Rows(), last: n.Status().LastIndex}
	n.close(t)
	unacknowledged := add("unacknowledged")
	r.want["unacknowledged"] = model.Version{ID: "unacknowledged", VersionNo: unacknowledged.VersionNo, Platform: unacknowledged.Platform, Revision: model.Revision(r.last, 0)}
	return r
}

// openFake opens a throwaway service in memory.
func openFake(string) (raft.VersionServiceInterface, func() error, error) {
	return fakestore.NewService(fakestore.New()), func() error { return nil }, nil
}

func (c testConfig) recoverConfig(dir *datadir.Dir, confirmed bool, plan *Plan) Config {
	return Config{
		Dir: dir, Address: "127.0.0.1:7001", Confirmed: confirmed, Log: slog.New(slog.DiscardHandler),
		Check: func(context.Context, Plan) error { return nil },
		Show:  func(p Plan) { *plan = p },
	}
}

func (c testConfig) recoverFromLog(t *testing.T, confirmed bool, at func(string)) (Plan, error) {
	t.Helper()
	dir, err := OpenLeft(c.path, "node1")
	if err != nil {
		return Plan{}, err
	}
	defer func() { require.NoError(t, dir.Close()) }()
	var plan Plan
	cfg := c.recoverConfig(dir, confirmed, &plan)
	cfg.at = at
	return plan, errors.Join(FromLog(t.Context(), cfg, openFake), nil)
}

// requireRecovered starts the node and requires that it leads a new cluster with just these records,
// also in its store, and gives new revisions only.
func (c testConfig) requireRecovered(t *testing.T, former string, want map[string]model.Version) {
	t.Helper()
	n := c.mustLead(t)
	require.NotEqual(t, former, n.Identity().Cluster)
	require.Contains(t, n.Former(), former)
	require.Equal(t, []raft.Member{{ID: "node1", Address: "127.0.0.1:7001", Voter: true}}, n.Members())
	var highest uint64
	for _, v := range want {
		highest = max(highest, v.Revision)
	}
	outcomes := n.propose(t, add("after"), add("first-001"))
	require.Greater(t, outcomes[0].Revision, highest+recoveryGap*model.CommandsPerEntryMax, "a revision that a lost node may have given is given again")
	require.Equal(t, model.OutcomeAlreadyExists, outcomes[1].Code)
	rows := c.store.Rows()
	delete(rows, "after")
	require.Equal(t, want, rows)
	state, err := fakestore.NewService(c.store).StateInternal(t.Context())
	require.NoError(t, err)
	require.Equal(t, n.Identity(), state.Identity, "state row and directory name different clusters")
	require.Greater(t, state.ChangesFrom, highest, "watchers may have seen what a lost node had")
	require.Less(t, state.ChangesFrom, outcomes[0].Revision)
	n.close(t)
}

// A recovery must bring back every record that the survivor's log makes, under a new cluster, and say
// before what it will do. If this fails, the last copy of a registry is spoilt by the attempt to save it.
func TestRecoverFromLog(t *testing.T) {
	c := newRecoverable(t)
	before := filesOf(t, c.path)
	plan, err := c.recoverFromLog(t, false, nil)
	require.ErrorIs(t, err, ErrNotConfirmed)
	require.Equal(t, before, filesOf(t, c.path), "a recovery that was not confirmed changed something")
	require.NoDirExists(t, plan.Backup)
	require.Equal(t, c.last, plan.Last.Index)
	require.Positive(t, plan.Snapshot.Index)
	require.EqualValues(t, len(c.want), plan.Records)
	require.Equal(t, "cluster1", plan.Former)
	require.Equal(t, []raft.Member{{ID: "node1", Address: "127.0.0.1:7001", Voter: true}, {ID: "node2", Address: "127.0.0.1:1", Voter: true}}, plan.Members)

	plan, err = c.recoverFromLog(t, true, nil)
	require.NoError(t, err)
	require.Equal(t, len(before), len(filesOf(t, plan.Backup)))
	for _, path := range []string{c.path, plan.Backup} {
		left, err := filepath.Glob(filepath.Join(path, datadir.ScratchPattern))
		require.NoError(t, err)
		require.Empty(t, left)
	}
	require.NoFileExists(t, filepath.Join(plan.Backup, datadir.LockFile), "the copy would seem to be in use")
	c.requireRecovered(t, "cluster1", c.want)

	// The copy, put back, is what was there before.
	require.NoError(t, os.RemoveAll(c.path))
	require.NoError(t, os.Rename(plan.Backup, c.path))
	require.Equal(t, "cluster1", mustIdentity(t, c.path).Cluster)
	again, err := c.recoverFromLog(t, false, nil)
	require.ErrorIs(t, err, ErrNotConfirmed)
	plan.Cluster, again.Cluster, plan.Backup, again.Backup = "", "", "", ""
	require.Equal(t, plan, again)
}

// killedAt is what a kill at a step would have left.
type killedAt struct {
	step string
	left recoverable
}

// copiesAt returns a hook that copies everything there is at each step.
func (c recoverable) copiesAt(t *testing.T, killed *[]killedAt) func(string) {
	return func(step string) {
		left := c
		left.path = filepath.Join(t.TempDir(), "node1")
		require.NoError(t, os.CopyFS(left.path, os.DirFS(c.path)))
		left.store = c.store.Clone()
		*killed = append(*killed, killedAt{step: step, left: left})
	}
}

// requireNoHalfStart requires that a node does not start on what a broken-off recovery has left,
// unless nothing of it is changed yet.
func (k killedAt) requireNoHalfStart(t *testing.T, former string) {
	t.Helper()
	dir, err := datadir.Open(k.left.path, "node1")
	if err == nil {
		defer func() { require.NoError(t, dir.Close()) }()
		require.Equal(t, former, dir.Identity().Cluster, "a node starts on half of a recovery")
		return
	}
	require.ErrorContains(t, err, "versiond recover")
	require.ErrorContains(t, err, ".before-recover-")
}

// Whenever a recovery is killed, the node must not start on what is there, and another recovery must
// come to the same end. If this fails, a power cut during a recovery loses what was left.
func TestRecoveryFromLogKilledAtEachStep(t *testing.T) {
	c := newRecoverable(t)
	var killed []killedAt
	plan, err := c.recoverFromLog(t, true, c.copiesAt(t, &killed))
	require.NoError(t, err)
	steps := make([]string, len(killed))
	for i, k := range killed {
		steps[i] = k.step
		k.requireNoHalfStart(t, "cluster1")
		again, err := k.left.recoverFromLog(t, true, nil)
		require.NoError(t, err, k.step)
		require.EqualValues(t, len(c.want), again.Records, k.step)
		require.Equal(t, i >= 2, again.Resumed, k.step)
		if again.Resumed {
			require.Equal(t, plan.Cluster, again.Cluster, k.step)
			require.Equal(t, plan.Backup, again.Backup, "a copy of half a recovery takes the place of the first one")
		}
		k.left.requireRecovered(t, "cluster1", c.want)
	}
	require.Equal(t, []string{"shown", "backed up", "marked", "snapshot written", "log cut off"}, steps)
	c.requireRecovered(t, "cluster1", c.want)
}

// What cannot be recovered must be left as it is.
func TestRecoverFromLogRefuses(t *testing.T) {
	t.Run("nothing there", func(t *testing.T) {
		c := newTestConfig(t)
		_, err := c.recoverFromLog(t, true, nil)
		require.ErrorIs(t, err, errNothingLeft)
		require.NoDirExists(t, c.path)
	})
	t.Run("a node that never was a member", func(t *testing.T) {
		c := newTestConfig(t)
		c.mustOpen(t).close(t)
		_, err := c.recoverFromLog(t, true, nil)
		require.ErrorIs(t, err, errNothingLeft)
	})
	t.Run("a node that runs", func(t *testing.T) {
		c := newTestConfig(t)
		c.mustLead(t)
		_, err := c.recoverFromLog(t, true, nil)
		require.ErrorContains(t, err, fmt.Sprintf("in use by process %d", os.Getpid()))
	})
	t.Run("an entry that cannot be read", func(t *testing.T) {
		c := newRecoverable(t)
		dir := mustDataDir(t, c.path)
		stores, err := openStores(dir, slog.New(slog.DiscardHandler), false)
		require.NoError(t, err)
		require.NoError(t, stores.Log.StoreLog(&hashicorp.Log{Index: c.last + 1, Term: 9, Type: hashicorp.LogCommand, Data: []byte("?")}))
		require.NoError(t, errors.Join(stores.Close(), dir.Close()))
		before := filesOf(t, c.path)
		_, err = c.recoverFromLog(t, false, nil)
		require.ErrorContains(t, err, fmt.Sprintf("log entry %d cannot be read", c.last+1))
		require.Equal(t, before, filesOf(t, c.path))
		_, err = c.recoverFromLog(t, true, nil)
		require.ErrorContains(t, err, "cannot be read")
		require.Equal(t, "cluster1", mustIdentity(t, c.path).Cluster)
	})
}

func mustIdentity(t *testing.T, path string) model.Identity {
	t.Helper()
	dir := mustDataDir(t, path)
	defer func() { require.NoError(t, dir.Close()) }()
	return dir.Identity()
}

// A throwaway store that fails, as on a full disk, must end the recovery with its cause: a running node would try again
// for ever, and the operator would look at nothing.
func TestRecoveryEndsWhereItsStoreFails(t *testing.T) {
	c := newRecoverable(t)
	before := filesOf(t, c.path)
	dir, err := OpenLeft(c.path, "node1")
	require.NoError(t, err)
	defer func() { require.NoError(t, dir.Close()) }()
	var plan Plan
	err = FromLog(t.Context(), c.recoverConfig(dir, false, &plan), func(string) (raft.VersionServiceInterface, func() error, error) {
		store := fakestore.New()
		store.FailCommits = 1 << 30
		return fakestore.NewService(store), func() error { return nil }, nil
	})
	require.ErrorIs(t, err, fakestore.ErrFake)
	require.Equal(t, before, filesOf(t, c.path))
}

// A damaged snapshot that a start would do without is none that a recovery needs, also while it only looks.
func TestRecoveryDoesWithoutADamagedSnapshot(t *testing.T) {
	r := newRecoverable(t)
	files, err := filepath.Glob(filepath.Join(r.path, datadir.SnapshotsFolder, "*[0-9]", "state.bin"))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(files[len(files)-1], 100))
	plan, err := r.recoverFromLog(t, false, nil)
	require.ErrorIs(t, err, ErrNotConfirmed)
	require.Len(t, r.want, int(plan.Records))
	require.FileExists(t, files[len(files)-1])
	plan, err = r.recoverFromLog(t, true, nil)
	require.NoError(t, err)
	require.Len(t, r.want, int(plan.Records))
}
