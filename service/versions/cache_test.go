package versions_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/versions"
)

var iosApps = []model.VersionDB{{ID: "app-ios", VersionNo: "1", Platform: "ios", Revision: 1}, {ID: "app-beta", VersionNo: "2", Platform: "ios", Revision: 2}}

func applied() uint64 { return 7 }

// mustLoad asks a question whose records are not kept.
func mustLoad(t *testing.T, c *versions.Cache, which model.Candidates) {
	t.Helper()
	_, _, kept := c.Get(which)
	require.False(t, kept)
	records, _, err := c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) { return iosApps, 7, nil })
	require.NoError(t, err)
	require.Equal(t, "app-beta", records[0].ID, "the newest first")
}

// An answer from memory must be gone with the first change that makes it wrong, and stay with all others, or a fleet that
// polls costs its node a look into the store with every write.
func TestAnswersAreKeptUntilARecordUnderTheirQuestionChanges(t *testing.T) {
	prefixed := model.Candidates{Prefix: "app-", Platform: "ios"}
	listed := model.Candidates{IDs: []string{"app-beta", "app-ios", "app-new"}}
	platform := model.Candidates{Platform: "ios"}
	for name, test := range map[string]struct {
		id, platform string
		deleted      bool
		forgotten    []model.Candidates
	}{
		"a record of it":                {"app-ios", "ios", false, []model.Candidates{prefixed, listed, platform}},
		"one that leaves the platform":  {"app-ios", "mac", false, []model.Candidates{prefixed, listed, platform}},
		"one that is deleted":           {"app-ios", "", true, []model.Candidates{prefixed, listed, platform}},
		"a new one":                     {"app-other", "ios", false, []model.Candidates{prefixed, platform}},
		"one of the list that is new":   {"app-new", "mac", false, []model.Candidates{listed}},
		"one of another prefix":         {"zapp", "ios", false, []model.Candidates{platform}},
		"one of another platform":       {"app-mac", "mac", false, nil},
		"one that nobody has asked for": {"zapp", "mac", false, nil},
		"a deletion of another one":     {"app-mac", "", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := versions.NewCache()
			for _, which := range []model.Candidates{prefixed, listed, platform} {
				mustLoad(t, c, which)
			}
			c.Changed(test.id, test.platform, test.deleted)
			for _, which := range []model.Candidates{prefixed, listed, platform} {
				_, _, kept := c.Get(which)
				require.Equal(t, !containsQuestion(test.forgotten, which), kept, "%+v", which)
			}
		})
	}
}

func containsQuestion(all []model.Candidates, which model.Candidates) bool {
	for _, each := range all {
		if each.Platform == which.Platform && each.Prefix == which.Prefix && len(each.IDs) == len(which.IDs) {
			return true
		}
	}
	return false
}

// What was read before a change may be of before it, and must not be kept; nor what was read of a store that was replaced.
func TestRecordsThatChangedWhileTheyWereReadAreNotKept(t *testing.T) {
	which := model.Candidates{Platform: "ios"}
	for name, test := range map[string]struct {
		meanwhile func(c *versions.Cache)
		kept      bool
	}{
		"nothing":            {func(*versions.Cache) {}, true},
		"another platform":   {func(c *versions.Cache) { c.Changed("app-mac", "mac", false) }, true},
		"a record of it":     {func(c *versions.Cache) { c.Changed("app-ios", "mac", false) }, false},
		"a new one":          {func(c *versions.Cache) { c.Changed("new", "ios", false) }, false},
		"the store replaced": {func(c *versions.Cache) { c.Clear() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := versions.NewCache()
			_, _, err := c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) {
				test.meanwhile(c)
				return iosApps, 7, nil
			})
			require.NoError(t, err)
			_, _, kept := c.Get(which)
			require.Equal(t, test.kept, kept)
		})
	}
	c, failed := versions.NewCache(), errors.New("the store does not answer")
	_, _, err := c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) { return nil, 0, failed })
	require.ErrorIs(t, err, failed)
	mustLoad(t, c, which)
}

// A read that does not come back must not leave those waiting who ask the same, and records that change with every look
// must be answered all the same, and never as none.
func TestAReadThatComesToNothingIsDoneAgain(t *testing.T) {
	c, which := versions.NewCache(), model.Candidates{Prefix: "app-"}
	require.Panics(t, func() {
		_, _, _ = c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) { panic("a fault") })
	})
	mustLoad(t, c, which)

	c.Clear()
	records, index, err := c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) {
		c.Changed("app-ios", "ios", false)
		return iosApps, 0, nil
	})
	require.NoError(t, err)
	require.Len(t, records, 2)
	require.Zero(t, index)
}

// A fleet whose answer was just let go of must not ask the store all at once.
func TestCallersShareOneLookIntoTheStore(t *testing.T) {
	c, which := versions.NewCache(), model.Candidates{Prefix: "app-"}
	var reads atomic.Int64
	var callers sync.WaitGroup
	asked := make(chan struct{}, 20)
	load := func() {
		records, _, err := c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) {
			reads.Add(1)
			for range 20 {
				<-asked
			}
			return iosApps, 7, nil
		})
		require.NoError(t, err)
		require.Len(t, records, 2)
	}
	for range 20 {
		callers.Go(func() { asked <- struct{}{}; load() })
	}
	callers.Wait()
	require.Equal(t, int64(1), reads.Load())
}

// However many questions are asked, and whatever their records say, memory stays bounded.
func TestTheQuestionsThatAreKeptAreBounded(t *testing.T) {
	require.Equal(t, 110, keptOf(t, nil))
	require.Equal(t, 14, keptOf(t, &model.Details{Attributes: map[string]string{"notes": strings.Repeat("x", 2000)}}))
}

// keptOf returns how many questions are kept of a thousand, about as many records as can be, which say so much.
func keptOf(t *testing.T, d *model.Details) (kept int) {
	t.Helper()
	c := versions.NewCache()
	many := make([]model.VersionDB, model.CandidatesMax)
	for i := range many {
		many[i] = model.VersionDB{ID: "app", VersionNo: "1", Platform: "ios", Revision: uint64(len(many) - i), Details: d}
	}
	for i := range 1000 {
		_, _, err := c.Load(t.Context(), model.Candidates{Prefix: string(rune('a' + i))}, applied, func(context.Context) ([]model.VersionDB, uint64, error) { return many, 7, nil })
		require.NoError(t, err)
	}
	for i := range 1000 {
		if _, _, is := c.Get(model.Candidates{Prefix: string(rune('a' + i))}); is {
			kept++
		}
	}
	return kept
}

// A fleet that polls one question about many versions must not have them put in order each time: a thousand of PyPI's take
// milliseconds.
func TestWhatIsKeptIsInOrder(t *testing.T) {
	c := versions.NewCache()
	which := model.Candidates{Prefix: "app"}
	records, _, err := c.Load(t.Context(), which, applied, func(context.Context) ([]model.VersionDB, uint64, error) { return iosApps, 7, nil })
	require.NoError(t, err)
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { c.Rank(which, records) }), 1.0, "they are put in order again")
	require.Equal(t, records, c.Rank(which, iosApps).Records(), "of what the leader has answered")
	for _, ranked := range []versions.Ranked{c.Rank(which, records), c.Rank(model.Candidates{Prefix: "other"}, iosApps)} {
		newest, err := ranked.Newest()
		require.NoError(t, err)
		require.Equal(t, "app-beta", newest.ID)
	}
}
