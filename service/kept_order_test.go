package service

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A batch that comes again under its key has the answer that it had, whatever the schemes of its records are by then: those of
// which an item was refused, and those that would refuse it now. If this fails, a client that tries again is told that its
// key belongs to somebody else, though all was done.
func TestARepeatedBatchIsNotHeldAgainstOtherSchemes(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	ordered := func(id, versionNo, scheme string) model.Command {
		c := update(id, versionNo, 0)
		c.Details, c.DetailNames = (&model.Details{Scheme: scheme}).OrNil(), (&model.Details{Scheme: "any"}).DetailNames()
		return c
	}
	for name, c := range map[string]struct {
		scheme string // that the record has at first
		items  []model.Command
		wrong  []int
		then   []model.Command
	}{
		"it deletes the record":             {"semver", []model.Command{update("app", "two", 0), remove("app", 0)}, []int{0}, nil},
		"it creates the record anew":        {"semver", []model.Command{update("app", "two", 0), remove("app", 0), add("app", "one")}, []int{0}, nil},
		"the scheme goes":                   {"semver", []model.Command{update("app", "two", 0), update("app", "1.0.1", 0)}, []int{0}, []model.Command{ordered("app", "three", "")}},
		"another comes":                     {"semver", []model.Command{update("app", "1", 0), update("app", "1.0.1", 0)}, []int{0}, []model.Command{ordered("app", "1.0.2", "pypi")}},
		"the first comes":                   {"", []model.Command{update("app", "two", 0), update("app", "three", 0)}, nil, []model.Command{ordered("app", "1.0.0", "semver")}},
		"all are refused, then none":        {"semver", []model.Command{update("app", "two", 0)}, []int{0}, []model.Command{remove("app", 0), add("app", "one")}},
		"the refused depends on a revision": {"semver", []model.Command{update("app", "two", 1), update("app", "two", 0)}, []int{1}, []model.Command{ordered("app", "three", "")}},
	} {
		ctx := within(t, 10*time.Second)
		first := record("app", "1.0.0")
		first.Details = (&model.Details{Scheme: c.scheme}).OrNil()
		_, err := n.AddVersion(ctx, first, model.WriteOptions{})
		require.NoError(t, err, name)

		decided, err := n.WriteBatch(ctx, model.Unit{Commands: c.items}, name)
		require.NoError(t, err, name)
		require.False(t, decided.Replayed, name)
		requireWrong(t, c.wrong, decided, name)
		for _, each := range c.then {
			done, err := n.WriteBatch(ctx, model.Unit{Commands: []model.Command{each}}, "")
			require.NoError(t, err, name)
			require.Equal(t, model.OutcomeDone, done.Outcomes[0].Code, name)
		}

		left, existed := n.mysql.records.Get("app")
		again, err := n.WriteBatch(ctx, model.Unit{Commands: c.items}, name)
		require.NoError(t, err, name)
		require.True(t, again.Replayed, name)
		requireWrong(t, c.wrong, again, name)
		for i, outcome := range again.Outcomes {
			require.Equal(t, decided.Outcomes[i].Code, outcome.Code, name)
			require.Equal(t, decided.Outcomes[i].Revision, outcome.Revision, name)
		}
		leftNow, existsNow := n.mysql.records.Get("app")
		require.Equal(t, existed, existsNow, name)
		require.Equal(t, left, leftNow, name)
		_, err = n.WriteBatch(ctx, model.Unit{Commands: []model.Command{remove("app", 0)}}, "")
		require.NoError(t, err, name)
	}
}

// A follower may be behind what its client was told a moment ago. It must not refuse for a scheme that the record has no more.
func TestUpdatesAreNotHeldAgainstASchemeOfBefore(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	leader, follower := nodes[0], nodes[1]
	ctx := within(t, 20*time.Second)
	first := record("app", "1.0.0")
	first.Details = &model.Details{Scheme: "semver"}
	added, err := leader.AddVersion(ctx, first, model.WriteOptions{})
	require.NoError(t, err)
	require.NoError(t, follower.node.WaitApplied(ctx, added.Index))
	_, err = follower.UpdateVersion(ctx, record("app", "two"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrInvalid)
	_, err = follower.UpdateVersion(ctx, record("app", "two"), model.WriteOptions{IfRevision: added.Record.Revision + 1})
	require.ErrorIs(t, err, model.ErrRevisionMismatch)

	for range 3 { // it would have to be level with the leader by chance each time
		_, err = leader.UpdateVersion(ctx, record("app", "two"), model.WriteOptions{DetailNames: first.DetailNames()})
		require.NoError(t, err)
		done, err := follower.UpdateVersion(ctx, record("app", "three"), model.WriteOptions{})
		require.NoError(t, err)
		require.Equal(t, "three", done.Record.VersionNo)
		done, err = follower.UpdateVersion(ctx, first, model.WriteOptions{DetailNames: first.DetailNames()})
		require.NoError(t, err)
		require.NoError(t, follower.node.WaitApplied(ctx, done.Index))
	}
}

func requireWrong(t *testing.T, places []int, result model.UnitResult, name string) {
	t.Helper()
	require.Len(t, result.Wrong, len(places), name)
	for _, i := range places {
		require.ErrorIs(t, result.Wrong[i], model.ErrInvalid, name)
		require.NotEqual(t, model.OutcomeDone, result.Outcomes[i].Code, name)
	}
}

// A client that has made a record on one node may change it on another at once, which has not applied that yet. If this fails,
// what no check can order gets into the registry, and a fleet is told to stay where it is.
func TestUpdatesAreHeldAgainstASchemeThatThisNodeDoesNotHaveYet(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	leader, follower := nodes[0], nodes[1]
	ctx := within(t, 20*time.Second)
	for i := range 20 { // it would have to be level with the leader by chance each time
		first := record(fmt.Sprint("app-", i), "1.0.0")
		first.Details = &model.Details{Scheme: "semver"}
		added, err := leader.AddVersion(ctx, first, model.WriteOptions{})
		require.NoError(t, err)
		two := update(first.ID, "two", 0)
		switch i % 3 {
		case 0:
			_, err = follower.UpdateVersion(ctx, record(first.ID, "two"), model.WriteOptions{IfRevision: added.Record.Revision * uint64(i%2)})
			require.ErrorIs(t, err, model.ErrInvalid)
		case 1:
			var wrong *model.ItemsError
			two.IfRevision = added.Record.Revision * uint64(i%2)
			_, err = follower.WriteBatch(ctx, model.Unit{Commands: []model.Command{add("other", "1"), two}, Atomic: true}, "")
			require.ErrorAs(t, err, &wrong)
			require.Contains(t, wrong.Items, 1)
		case 2:
			result, err := follower.WriteBatch(ctx, model.Unit{Commands: []model.Command{two}}, "")
			require.NoError(t, err)
			requireWrong(t, []int{0}, result, first.ID)
		}
		_, err = follower.UpdateVersion(ctx, record(first.ID, "1.0.1"), model.WriteOptions{})
		require.NoError(t, err)
	}
}
