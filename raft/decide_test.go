package raft

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/fakestore"
	"versiond/test/units"
	"versiond/wire"
)

func remove(id string) model.Command { return model.Command{Type: model.CommandDelete, ID: id} }

func (n *testNode) proposeUnits(t *testing.T, units ...model.Unit) []model.UnitOutcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	outcomes, err := n.Propose(ctx, units)
	require.NoError(t, err)
	return outcomes
}

// codes returns what was decided, without the revisions.
func codes(o model.UnitOutcome) (codes []model.OutcomeCode) {
	for _, each := range o.Outcomes {
		codes = append(codes, each.Code)
	}
	return codes
}

const (
	done     = model.OutcomeDone
	exists   = model.OutcomeAlreadyExists
	notFound = model.OutcomeNotFound
	notDone  = model.OutcomeNotDone
)

// A refused unit that leaves one of its rows behind is what "all or nothing" promises not to be. Units
// before and after it in the same entry must not notice it.
func TestAtomicUnitsAreAllOrNothing(t *testing.T) {
	config := newTestConfig(t)
	n := config.mustLead(t)
	outcomes := n.proposeUnits(t,
		model.Single(add("a")),
		model.Unit{Atomic: true, Commands: []model.Command{add("b"), remove("a"), add("a"), add("a"), add("c")}},
		model.Unit{Atomic: true, Commands: []model.Command{add("d"), remove("d"), add("d"), add("e")}},
		model.Unit{Commands: []model.Command{add("b"), add("a"), remove("missing"), add("f")}},
		model.Unit{Atomic: true, Commands: []model.Command{remove("missing")}},
		model.Single(add("g")),
	)
	require.Equal(t, [][]model.OutcomeCode{
		{done},
		{notDone, notDone, notDone, exists, notDone},
		{done, done, done, done},
		{done, exists, notFound, done},
		{notFound},
		{done},
	}, [][]model.OutcomeCode{codes(outcomes[0]), codes(outcomes[1]), codes(outcomes[2]), codes(outcomes[3]), codes(outcomes[4]), codes(outcomes[5])})
	rows := config.store.Rows()
	require.Equal(t, []string{"a", "b", "d", "e", "f", "g"}, slices.Sorted(maps.Keys(rows)))

	index := n.AppliedIndex()
	require.Equal(t, model.Revision(index, 0), rows["a"].Revision, "the first command of the entry")
	require.Equal(t, model.Revision(index, 10), rows["b"].Revision, "commands of refused units keep their positions")
	require.Equal(t, model.Revision(index, 15), rows["g"].Revision, "and so does what follows them")
	require.Equal(t, model.Outcome{Code: done, Revision: model.Revision(index, 15)}, outcomes[5].Outcomes[0])
}

// An entry must never hold more commands than revisions can tell apart, whatever units come together.
func TestEntriesNumberEveryCommand(t *testing.T) {
	config := newTestConfig(t)
	n := config.mustLead(t)
	const units, each = 30, model.UnitCommandsMax
	results := make(chan error, units)
	for i := range units {
		unit := model.Unit{Commands: make([]model.Command, each)}
		for j := range unit.Commands {
			unit.Commands[j] = add(string(rune('a'+i)) + "-" + time.Duration(j).String())
		}
		go func() {
			_, err := n.Propose(context.Background(), []model.Unit{unit})
			results <- err
		}()
	}
	for range units {
		require.NoError(t, <-results)
	}
	revisions := map[uint64]string{}
	for id, row := range config.store.Rows() {
		require.Empty(t, revisions[row.Revision], id)
		revisions[row.Revision] = id
	}
	require.Len(t, revisions, units*each)
}

func withKey(key string, u model.Unit) model.Unit {
	u.Idempotency = wire.NewIdempotency(key, &u, false)
	return u
}

// A unit with a key must be decided once, and leave its place in the entry to nobody else: the revisions of
// what follows may not depend on whether it was decided or remembered.
func TestUnitsWithKeysAreDecidedOnce(t *testing.T) {
	config := newTestConfig(t)
	n := config.mustLead(t)
	refused := model.Unit{Atomic: true, Commands: []model.Command{add("b"), remove("missing")}}
	first := n.proposeUnits(t, withKey("1", model.Single(add("a"))), withKey("2", refused), withKey("1", model.Single(add("a"))), model.Single(add("c")))
	index := n.AppliedIndex()
	require.Equal(t, model.UnitOutcome{Outcomes: first[0].Outcomes, Replayed: true}, first[2])
	require.Equal(t, []model.OutcomeCode{notDone, notFound}, codes(first[1]))
	require.Equal(t, model.Revision(index, 4), first[3].Outcomes[0].Revision)

	n.close(t)
	n = config.mustLead(t)
	again := n.proposeUnits(t, withKey("2", refused), withKey("1", model.Single(add("a"))))
	require.Equal(t, model.UnitOutcome{Outcomes: first[1].Outcomes, Replayed: true}, again[0], "a refusal is remembered too")
	require.Equal(t, model.UnitOutcome{Outcomes: first[0].Outcomes, Replayed: true}, again[1])
	require.Equal(t, []string{"a", "c"}, slices.Sorted(maps.Keys(config.store.Rows())))
}

// What entries of both formats decide must not depend on which of the two they were written in.
func TestPlainAndUnitEntriesDecideAlike(t *testing.T) {
	commands := []model.Command{add("a"), add("b"), add("a"), remove("c"), remove("b")}
	decide := func(data []byte) (map[string]model.Version, []model.Outcome) {
		service := fakestore.NewService(fakestore.New())
		a := &decider{service: service}
		entries := []entry{{position: model.Position{Index: 7, Term: 1}, data: data}}
		units, err := decode(entries)
		require.NoError(t, err)
		outcomes, n, err := a.decideEntry(&entries[0], units[0])
		require.NoError(t, err)
		require.Equal(t, len(commands), n)
		rows := map[string]model.Version{}
		for id, v := range service.Staged {
			if v != nil {
				rows[id] = *v
			}
		}
		return rows, flat(outcomes)
	}
	plainRows, plain := decide(wire.AppendUnits(nil, units.Singles(commands...)))
	unitRows, unit := decide(wire.AppendUnits(nil, []model.Unit{{Commands: commands}}))
	require.Equal(t, plain, unit)
	require.Equal(t, plainRows, unitRows)
}
