package service

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/state"
	"versiond/wire"
)

func keyed(key string, commands ...model.Command) model.Unit {
	u := model.Unit{Commands: commands}
	u.Idempotency = wire.NewIdempotency(key, &u, len(commands) > 1)
	return u
}

// decide decides the units of one entry as the FSM does.
func (a *applied) decide(index uint64, units []model.Unit) []model.UnitOutcome {
	outcomes, position := make([]model.UnitOutcome, len(units)), 0
	for i, u := range units {
		outcomes[i] = a.decideUnit(u, model.Revision(index, position))
		position += len(u.Commands)
	}
	return outcomes
}

func (a *applied) decideUnit(u model.Unit, revision uint64) (decided model.UnitOutcome) {
	if u.Idempotency != nil {
		if remembered, found := a.RecallInternal(&u, revision); found {
			return remembered
		}
	}
	for i, c := range u.Commands {
		decided.Outcomes = append(decided.Outcomes, a.dispatch(c, revision+uint64(i)))
	}
	if u.Idempotency != nil {
		a.RememberInternal(&u, revision, decided.Outcomes)
	}
	return decided
}

// units applies entries in one transaction.
func (a *applied) units(t *testing.T, entries ...[]model.Unit) []model.UnitOutcome {
	t.Helper()
	var outcomes []model.UnitOutcome
	to := a.at
	for _, units := range entries {
		to = model.Position{Index: to.Index + 1, Term: 1}
		outcomes = append(outcomes, a.decide(to.Index, units)...)
	}
	require.NoError(t, a.CommitInternal(t.Context(), a.identity.Store, a.at, to))
	a.PublishInternal()
	a.at = to
	return outcomes
}

// remembered reads what the store remembers.
func (a *applied) remembered(t *testing.T) (list []model.DedupRecord) {
	t.Helper()
	require.NoError(t, a.mysql.mysqlDao.ForEachDedupRecord(t.Context(), func(m model.DedupRecord) error { list = append(list, m); return nil }))
	return list
}

// A request that is sent again must be answered again and not done again, also when both come in one
// entry of the log, and also when it was refused.
func TestARepeatedRequestIsDoneOnce(t *testing.T) {
	a := mustApplied(t)
	create, change, refused := keyed("1", add("a", "1")), keyed("2", update("a", "2", 0), remove("b", 0)), keyed("3", add("a", "9"))
	first := a.units(t, []model.Unit{create, create, change}, []model.Unit{change, refused})
	again := a.units(t, []model.Unit{create, change, refused})
	made := model.Revision(1, 0)
	require.Equal(t, []model.Outcome{{Code: model.OutcomeDone, Revision: made}}, first[0].Outcomes)
	require.False(t, first[0].Replayed)
	require.Equal(t, model.UnitOutcome{Outcomes: first[0].Outcomes, Replayed: true}, first[1])
	require.Equal(t, []model.Outcome{{Code: model.OutcomeDone, Revision: made + 2}, {Code: model.OutcomeNotFound}}, first[2].Outcomes)
	require.Equal(t, model.UnitOutcome{Outcomes: first[2].Outcomes, Replayed: true}, first[3])
	require.Equal(t, []model.Outcome{{Code: model.OutcomeAlreadyExists, Revision: made + 2}}, first[4].Outcomes)
	for i, outcome := range []model.UnitOutcome{first[0], first[2], first[4]} {
		require.Equal(t, model.UnitOutcome{Outcomes: outcome.Outcomes, Replayed: true}, again[i])
	}
	require.Equal(t, made+2, a.rows(t)["a"].Revision, "it was done again")
	require.Len(t, a.remembered(t), 3)
}

// A key on another request is a mistake of the client; the answer to the first would be a lie.
func TestAKeyOnAnotherRequestIsRefused(t *testing.T) {
	a := mustApplied(t)
	a.units(t, []model.Unit{keyed("1", add("a", "1"))})
	for name, other := range map[string]model.Unit{
		"another content": keyed("1", add("a", "2")), "another id": keyed("1", add("b", "1")), "another operation": keyed("1", update("a", "1", 0)),
		"a condition": keyed("1", update("a", "1", 7)), "a batch": keyed("1", add("a", "1"), add("b", "1")),
	} {
		outcome := a.units(t, []model.Unit{other})[0]
		require.False(t, outcome.Replayed, name)
		require.Len(t, outcome.Outcomes, len(other.Commands))
		for _, each := range outcome.Outcomes {
			require.Equal(t, model.Outcome{Code: model.OutcomeKeyReused}, each, name)
		}
	}
	require.Len(t, a.rows(t), 1)
	require.True(t, a.units(t, []model.Unit{keyed("1", add("a", "1"))})[0].Replayed)
}

// smallLimits make every bound be met within a short test.
var smallLimits = state.DedupLimits{Units: 12, Bytes: 40, Indexes: 30}

// smallChanges do so for the changes that are kept.
var smallChanges = state.ChangeLimits{All: 40, Block: 5, OfID: 3, Window: 12}

// forgetSoon has a node keep little from now on.
func (a *applied) forgetSoon(t *testing.T) {
	t.Helper()
	a.mysql.records = state.New(smallLimits, smallChanges)
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
}

// log makes entries of units with few keys, so that many are sent again while they are remembered and
// many after they are forgotten.
func logOf(random *rand.Rand, entries int) [][]model.Unit {
	log := make([][]model.Unit, entries)
	for i := range log {
		for range random.IntN(4) {
			number := random.IntN(30)
			commands := []model.Command{update(fmt.Sprint(number), "1", 0)}
			if number%5 == 0 {
				commands = append(commands, add(fmt.Sprint(number), "1"), remove("nobody", 0), add(fmt.Sprint(number), "1"))
			}
			u := keyed(fmt.Sprint("key-", number), commands...)
			if random.IntN(4) == 0 {
				u.Idempotency = nil
			}
			log[i] = append(log[i], u)
		}
	}
	return log
}

// reference remembers as plainly as can be said: the newest units within the limits.
type reference struct {
	limits state.DedupLimits
	list   []model.DedupRecord
}

func (r *reference) find(key [16]byte, index uint64) bool {
	return slices.ContainsFunc(r.list, func(m model.DedupRecord) bool {
		return m.Key == key && model.IndexOf(m.Revision)+r.limits.Indexes >= index
	})
}

func (r *reference) add(m model.DedupRecord) {
	r.list = append(r.list, m)
	for {
		bytes := 0
		for _, each := range r.list {
			bytes += len(each.Outcomes)
		}
		tooOld := model.IndexOf(r.list[0].Revision)+r.limits.Indexes < model.IndexOf(m.Revision)
		if len(r.list) <= r.limits.Units && bytes <= r.limits.Bytes && !tooOld {
			return
		}
		r.list = r.list[1:]
	}
}

// What is remembered decides outcomes. A node that remembers a unit longer or shorter than the others,
// because its transactions were cut otherwise, because it was started again, or because it began with a
// snapshot, becomes a different one.
func TestEveryNodeForgetsAlike(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 7))
		log := logOf(random, 400)
		whole, other := mustApplied(t), mustApplied(t)
		whole.forgetSoon(t)
		other.forgetSoon(t)
		expected := &reference{limits: smallLimits}
		replays := 0
		for at := 0; at < len(log); {
			n := min(1+random.IntN(9), len(log)-at)
			outcomes := whole.units(t, log[at:at+n]...)
			got := other.inTransactionsOf(t, random, log[at:at+n])
			require.Equal(t, outcomes, got, "seed %d, entries from %d", seed, at)
			replays += expected.check(t, log[at:at+n], uint64(at+1), outcomes)
			at += n
			require.Equal(t, expected.list, whole.remembered(t))
			require.Equal(t, whole.remembered(t), other.remembered(t))
			require.Equal(t, whole.changes(t), other.changes(t))
			require.Equal(t, whole.mysql.records.Sum(), other.mysql.records.Sum())
			other = other.disturbed(t, random)
		}
		require.Greater(t, replays, 100, "the test tested nothing")
		require.Greater(t, whole.ChangesFromInternal(), model.Revision(uint64(len(log)/2), 0), "no change was let go")
	}
}

// inTransactionsOf applies the same entries in transactions of other sizes, some of them decided twice.
func (a *applied) inTransactionsOf(t *testing.T, random *rand.Rand, log [][]model.Unit) (outcomes []model.UnitOutcome) {
	for len(log) > 0 {
		n := 1 + random.IntN(len(log))
		if random.IntN(3) == 0 {
			for i, units := range log[:n] {
				a.decide(a.at.Index+uint64(i)+1, units)
			}
			a.DiscardInternal()
		}
		outcomes = append(outcomes, a.units(t, log[:n]...)...)
		log = log[n:]
	}
	return outcomes
}

// disturbed starts the node again, or begins another one with a snapshot of it, or does neither.
func (a *applied) disturbed(t *testing.T, random *rand.Rand) *applied {
	switch random.IntN(5) {
	case 0:
		require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
	case 1:
		fresh := mustApplied(t)
		fresh.forgetSoon(t)
		require.NoError(t, fresh.RestoreInternal(t.Context(), fresh.identity, a.at, a.snapshot(t)))
		require.NoError(t, fresh.LoadInternal(t.Context(), fresh.identity.Cluster))
		fresh.at = a.at
		return fresh
	}
	return a
}

// snapshot returns what a node's store holds.
func (a *applied) snapshot(t *testing.T) *contents {
	t.Helper()
	c := &contents{dedup: a.remembered(t), changes: a.changes(t), from: a.ChangesFromInternal()}
	for _, v := range a.rows(t) {
		c.records = append(c.records, v)
	}
	return c
}

type contents struct {
	dedup   []model.DedupRecord
	changes []model.Change
	from    uint64
	records []model.Version
}

func (c *contents) NextDedupRecord() (model.DedupRecord, error) { return take(&c.dedup) }

func (c *contents) ChangesFrom() (uint64, error) { return c.from, nil }

func (c *contents) NextChange() (model.Change, error) { return take(&c.changes) }

func (c *contents) NextRecord() (model.Version, error) { return take(&c.records) }

func take[T any](from *[]T) (first T, err error) {
	if len(*from) == 0 {
		return first, io.EOF
	}
	first, *from = (*from)[0], (*from)[1:]
	return first, nil
}

// check holds outcomes against what the reference remembers, and counts those that were given again.
func (r *reference) check(t *testing.T, log [][]model.Unit, index uint64, outcomes []model.UnitOutcome) (replays int) {
	t.Helper()
	for i, units := range log {
		position := 0
		for _, u := range units {
			at, outcome := model.Revision(index+uint64(i), position), outcomes[0]
			position, outcomes = position+len(u.Commands), outcomes[1:]
			if u.Idempotency == nil {
				continue
			}
			require.Equal(t, r.find(u.Idempotency.Key, index+uint64(i)), outcome.Replayed)
			if outcome.Replayed {
				replays++
				continue
			}
			r.add(model.DedupRecord{Idempotency: *u.Idempotency, Revision: at, Outcomes: wire.PackOutcomes(outcome.Outcomes)})
		}
	}
	return replays
}

// A node that has lost its dedup records would do again what the others only answer again: it has to notice.
func TestLostDedupRecordsAreNoticed(t *testing.T) {
	a := mustApplied(t)
	a.units(t, []model.Unit{keyed("1", add("b", "1"))})
	require.NoError(t, a.mysql.mysqlDao.DB.Exec("DELETE FROM versiond_idempotency").Error)
	require.ErrorIs(t, a.LoadInternal(t.Context(), a.identity.Cluster), model.ErrStoreDiffers)
	require.NoError(t, a.mysql.mysqlDao.DB.Exec("DROP TABLE versiond_idempotency").Error)
	require.ErrorIs(t, a.LoadInternal(t.Context(), a.identity.Cluster), model.ErrStoreDiffers)
}
