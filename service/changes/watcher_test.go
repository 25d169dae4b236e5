package changes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A watcher is told of what comes, within what it takes for changes to gather, and of a place at once.
func TestWatcherIsToldOfWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		n.write(record("before", "1", "linux"))
		c := n.mustWatch(t, Request{Now: true})
		require.Empty(t, c.untilBookmark(), "what was before is not of interest")
		require.Equal(t, model.Revision(2, 0), c.place)

		began := time.Now()
		n.write(record("app", "1", "linux"), record("other", "1", "linux"))
		n.write(record("app", "", ""))
		require.Equal(t, []string{"put app 1", "put other 1", "delete app"}, words(c.next()))
		require.Equal(t, wakePause, time.Since(began))
		require.Equal(t, model.Revision(4, 0), c.place)
	})
}

// Bookmarks tell that the node is there, and move on where the filter lets nothing pass.
func TestBookmarksMoveOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		c := n.mustWatch(t, Request{Now: true, Filter: Filter{IDs: []string{"app"}}})
		require.Empty(t, c.untilBookmark())
		for range 3 {
			began, at := time.Now(), n.write(record("other", "1", "linux"))[0].Revision
			require.Empty(t, c.untilBookmark())
			require.Equal(t, at, c.place)
			require.Equal(t, bookmarkInterval, time.Since(began))
		}
		n.mu.Lock()
		n.applied += 5 // entries without commands
		n.mu.Unlock()
		require.Empty(t, c.untilBookmark())
		require.Equal(t, model.Revision(9, 0), c.place)
	})
}

// What was written and is yet to be told is not behind a bookmark, nor behind the place where a stream ends.
func TestPlacesCoverNothingUntold(t *testing.T) {
	for name, end := range map[string]func(*fakeNode){"bookmark": func(*fakeNode) {}, "end": func(n *fakeNode) { n.hub.Reset(n.floor, lastOf(n.changes)) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := mustFake()
				c := n.mustWatch(t, Request{Now: true})
				require.Empty(t, c.untilBookmark())
				time.AfterFunc(bookmarkInterval-wakePause/2, func() { n.write(record("app", "1", "linux")); end(n) })
				require.Empty(t, c.untilBookmark())
				c = n.mustWatch(t, Request{Since: c.place})
				require.Equal(t, []string{"put app 1"}, words(c.next()))
			})
		})
	}
}

// A record that leaves what is watched is gone, one that comes into it is put there, and one that is deleted and made
// again is both.
func TestRecordsLeaveAndEnterTheFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		ios := n.mustWatch(t, Request{Now: true, Filter: Filter{Platform: "ios", Prefix: "app"}})
		require.Empty(t, ios.untilBookmark())
		n.write(record("app", "1", "ios"), record("lib", "1", "ios"), record("app", "2", "android"), record("app", "3", "android"))
		n.write(record("app", "4", "ios"), record("app", "", ""), record("app", "5", "ios"))
		require.Equal(t, []string{"put app 1", "delete app", "put app 4", "delete app", "put app 5"}, words(ios.next()))
	})
}

// since=0 while others write: at the bookmark a client has exactly what there is, and no change was told that the records
// had already.
func TestRecordsThenChangesAsOne(t *testing.T) {
	for _, filter := range []Filter{{}, {Platform: "p1"}, {Prefix: "r1"}, {IDs: []string{"gone", "r005", "r150", "r700"}}} {
		t.Run(filter.key(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { recordsThenChanges(t, filter) })
		})
	}
}

func recordsThenChanges(t *testing.T, filter Filter) {
	n, dice := mustFake(), rand.New(rand.NewPCG(1, 2))
	some := func() model.VersionDB {
		versionNo := fmt.Sprint(dice.IntN(3)) // 0 is none: a delete
		r := record(fmt.Sprintf("r%03d", dice.IntN(900)), strings.TrimLeft(versionNo, "0"), fmt.Sprint("p", dice.IntN(3)))
		if _, exists := n.records[r.ID]; !exists && r.VersionNo == "" {
			r.VersionNo = "new"
		}
		return r
	}
	for range 1500 {
		n.write(some())
	}
	n.pages = func() {
		for range 40 {
			n.write(some(), record("gone", "1", "p1"))
			n.write(record("gone", "", ""))
		}
	}
	c := n.mustWatch(t, Request{List: true, Filter: filter})
	has, seen := map[string]uint64{}, map[uint64]bool{}
	for _, e := range c.untilBookmark() {
		require.False(t, seen[e.Revision], "revision %d is told twice", e.Revision)
		seen[e.Revision] = true
		if e.Type == "delete" {
			require.Contains(t, has, e.ID, "it was never told of")
			delete(has, e.ID)
			continue
		}
		require.Greater(t, e.Revision, has[e.Record.ID])
		has[e.Record.ID] = e.Revision
	}
	want := map[string]uint64{}
	for id, r := range n.records {
		if yes, _ := filter.wants(&model.Change{Op: model.ChangeUpdate, ID: id, Platform: r.Platform}); yes {
			want[id] = r.Revision
		}
	}
	require.Equal(t, want, has)
	require.Equal(t, model.Revision(n.applied, 0), c.place)
}

// Each watcher that goes from node to node, from the last revision that it saw, is told of each change of its filter once
// and in order, whatever the nodes have in memory and however far each is.
func TestResumedWatchersMissNothing(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) { resumed(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func resumed(t *testing.T, dice *rand.Rand) {
	nodes := []*fakeNode{mustFake(), mustFake(), mustFake()}
	filter := []Filter{{}, {Platform: "p1"}, {Prefix: "r1"}, {IDs: []string{"r1", "r3"}}, {IDs: []string{"r2"}, Platform: "p0"}}[dice.IntN(5)]
	var entries [][]model.VersionDB
	var seen []told
	place := nodes[0].floor
	for range 40 {
		for range dice.IntN(300) {
			entry := make([]model.VersionDB, 1+dice.IntN(40))
			for i := range entry {
				entry[i] = record(fmt.Sprint("r", dice.IntN(20)), fmt.Sprint(dice.IntN(9)+1), fmt.Sprint("p", dice.IntN(3)))
			}
			entries = append(entries, entry)
		}
		n := nodes[dice.IntN(len(nodes))]
		if dice.IntN(4) == 0 { // it starts again
			n.hub = NewHub(WatchersMax)
			n.hub.Reset(n.floor, lastOf(n.changes))
		}
		catchUp := func(part int) {
			for _, entry := range entries[n.applied-1:][:(len(entries)-int(n.applied-1))/part] {
				n.write(entry...)
			}
		}
		catchUp(1 + dice.IntN(2))
		if model.IndexOf(place) > n.applied { // the service waits for that
			catchUp(1)
		}
		c := n.mustWatch(t, Request{Since: place, Filter: filter})
		for range dice.IntN(5) {
			if catchUp(2); dice.IntN(2) == 0 {
				seen = append(seen, c.next()...)
			}
		}
		place = max(place, c.place)
		c.Close()
	}
	requireWanted(t, nodes[0], filter, place, seen, entries)
}

func lastOf(changes []model.Change) uint64 {
	if len(changes) == 0 {
		return 0
	}
	return changes[len(changes)-1].Revision
}

// requireWanted holds what was seen against all that there was for a filter.
func requireWanted(t *testing.T, n *fakeNode, filter Filter, place uint64, seen []told, entries [][]model.VersionDB) {
	t.Helper()
	for _, entry := range entries[n.applied-1:] {
		n.write(entry...)
	}
	var want, got []string
	for _, c := range n.changes {
		if wanted, stays := filter.wants(&c); wanted && c.Revision <= place {
			want = append(want, fmt.Sprint(c.Revision, c.ID, stays))
		}
	}
	for _, e := range seen {
		switch e.Type {
		case "put":
			got = append(got, fmt.Sprint(e.Revision, e.Record.ID, true))
		case "delete":
			got = append(got, fmt.Sprint(e.Revision, e.ID, false))
		}
	}
	require.Equal(t, want, got)
}

// A batch of thousands comes at once; whoever takes it is not slow. Whoever leaves more than a thousand lying is told so,
// and where to go on.
func TestOnlyWhoDoesNotTakeIsTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		c := n.mustWatch(t, Request{Now: true})
		require.Empty(t, c.untilBookmark())
		for i := range 3 * ringEventsMax {
			n.write(record("app", fmt.Sprint(i+1), "linux"))
		}
		for c.place < model.Revision(n.applied, 0) {
			c.next()
		}

		n.write(record("app", "last", "linux"))
		require.Equal(t, []string{"put app last"}, words(c.next()))
		for range waitingEventsMax + 1 {
			n.write(record("app", "1", "linux"))
		}
		<-time.After(slowAfter)
		_, err := c.Next(t.Context())
		require.ErrorIs(t, err, errTooSlow)
		require.Equal(t, []string{"error too_slow"}, words(mustRead(t, []Event{Failure(err, nil)})))
		require.EqualValues(t, 1, n.hub.Counts().TooSlow)

		again := n.mustWatch(t, Request{Since: c.place})
		require.Len(t, again.untilBookmark(), waitingEventsMax+1)
	})
}

// One that waits takes what comes at once, however long it waited for it and however much it is.
func TestWhoWaitsIsNotTooSlow(t *testing.T) {
	for name, request := range map[string]Request{"stream": {Now: true}, "poll": {Now: true, Wait: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := mustFake()
				c := n.mustWatch(t, request)
				if !c.poll {
					require.Empty(t, c.untilBookmark())
				}
				burst := slices.Repeat([]model.VersionDB{record("app", "1", "linux")}, waitingEventsMax+1)
				time.AfterFunc(2*slowAfter, func() { n.write(burst...) })
				require.Len(t, c.next(), batchEvents)
			})
		})
	}
}

// A few large records may be too much as well.
func TestTooManyBytesAreTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		c := n.mustWatch(t, Request{Now: true})
		require.Empty(t, c.untilBookmark())
		large := record("app", "1", "linux")
		large.Details = &model.Details{Attributes: map[string]string{"notes": strings.Repeat("x", 2000)}}
		for range waitingBytesMax/2000 + 1 {
			change := n.write(record("app", "1", "linux"))[0]
			change.Revision, change.Details = model.Revision(n.applied, 1), large.Details
			n.hub.Publish([]model.Change{change}, n.floor)
		}
		<-time.After(slowAfter)
		_, err := c.Next(t.Context())
		require.ErrorIs(t, err, errTooSlow)
	})
}

// There is never a silent gap: below the floor a watcher is told, before its stream begins or in the middle of it.
func TestNothingIsLeftOutSilently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		for i := range 2 * ringEventsMax {
			n.write(record("app", fmt.Sprint(i+1), "linux"))
		}
		first := n.floor
		c := n.mustWatch(t, Request{Since: first})
		require.Empty(t, c.scan(), "the ring may have moved on since it was looked at")
		require.Len(t, c.next(), pageEvents)
		n.forget(model.Revision(1000, 0))

		var gone *model.RevisionGone
		_, err := n.hub.Watch(n, Request{Since: first})
		require.ErrorAs(t, err, &gone)
		require.Equal(t, model.Revision(1000, 0), gone.Oldest)
		_, err = c.Next(t.Context())
		require.ErrorAs(t, err, &gone)
		require.Equal(t, model.Revision(1000, 0), mustRead(t, []Event{Failure(err, func(error) (code, detail string) { return "revision_gone", "gone" })})[0].Revision)

		c = n.mustWatch(t, Request{Since: gone.Oldest})
		require.Len(t, c.untilBookmark(), 2*ringEventsMax+1-1000)
	})
}

// A store that is loaded anew ends the streams, with the place to go on from; after the restore of a backup that is gone.
func TestReplacedStoreEndsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		c, lister := n.mustWatch(t, Request{Now: true}), n.mustWatch(t, Request{List: true})
		require.Empty(t, c.untilBookmark())
		at := n.write(record("app", "1", "linux"))[0].Revision
		require.Len(t, c.next(), 1)
		n.hub.Reset(n.floor, at)
		require.Equal(t, at, c.requireEnd()[0].Revision)
		require.Empty(t, lister.requireEnd(), "not all records were told: there is no place to go on from")

		restored := model.Revision(50, 0)
		n.applied = 50
		n.forget(restored)
		n.hub.Reset(restored, 0)
		_, err := n.hub.Watch(n, Request{Since: at})
		require.ErrorIs(t, err, model.ErrRevisionGone)
	})
}

// A node that stops, or should be watched no longer, says where to go on.
func TestEndsNameThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		c := n.mustWatch(t, Request{Now: true})
		require.Empty(t, c.untilBookmark())
		n.mu.Lock()
		n.unfit = errors.New("removed")
		n.mu.Unlock()
		require.Equal(t, n.floor, c.requireEnd()[0].Revision)
		_, err := n.hub.Watch(n, Request{Now: true})
		require.ErrorIs(t, err, n.unfit)
		require.Equal(t, 1, n.hub.Counts().Watchers)

		n.unfit = nil
		c = n.mustWatch(t, Request{Now: true})
		require.Empty(t, c.untilBookmark())
		n.hub.Close()
		require.Equal(t, n.floor, c.requireEnd()[0].Revision)
		_, err = n.hub.Watch(n, Request{Now: true})
		require.ErrorIs(t, err, model.ErrNotCaughtUp)
	})
}

// A poll ends with what there is, at the latest when its time is over, and each time with the place to go on from.
func TestPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		began := time.Now()
		nothing := n.mustWatch(t, Request{Now: true, Wait: 30 * time.Second}).requireEnd()
		require.Equal(t, []string{"bookmark "}, words(nothing))
		require.Equal(t, 30*time.Second, time.Since(began))

		began = time.Now()
		n.write(record("app", "1", "linux"))
		something := n.mustWatch(t, Request{Since: nothing[0].Revision, Wait: 30 * time.Second}).requireEnd()
		require.Equal(t, []string{"put app 1", "bookmark "}, words(something))
		require.Zero(t, time.Since(began))

		time.AfterFunc(time.Second, func() { n.write(record("app", "2", "linux")) })
		require.Equal(t, []string{"put app 2", "bookmark "}, words(n.mustWatch(t, Request{Now: true, Wait: 30 * time.Second}).requireEnd()))
		require.Equal(t, time.Second+wakePause, time.Since(began))
		require.Equal(t, []string{"put app 2", "bookmark "}, words(n.mustWatch(t, Request{List: true, Wait: 30 * time.Second}).requireEnd()))
	})
}

// A node takes so many watchers, and none while no changes are kept.
func TestWatchersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mustFake()
		for range WatchersMax - 1 {
			n.mustWatch(t, Request{Now: true})
		}
		last := n.mustWatch(t, Request{Now: true})
		require.Equal(t, WatchersMax, n.hub.Counts().Watchers)
		_, err := n.hub.Watch(n, Request{Now: true})
		require.ErrorIs(t, err, model.ErrTooManyRequests)
		last.Close()
		n.mustWatch(t, Request{Now: true})

		n = &fakeNode{hub: NewHub(WatchersMax)}
		n.hub.Reset(0, 0)
		_, err = n.hub.Watch(n, Request{Now: true})
		require.ErrorIs(t, err, errNotKept)
		n.floor = model.Revision(7, 0)
		n.hub.Publish(nil, n.floor)
		c := n.mustWatch(t, Request{Now: true})
		require.Empty(t, c.untilBookmark())
		require.Equal(t, n.floor, c.place)
	})
}

// A change wakes those alone who want it, whatever the filter is.
func TestIndexFindsWhoWantsAChange(t *testing.T) {
	ids, prefixes, platforms := [][]string{nil, {"a"}, {"ab"}, {"a", "abc"}}, []string{"", "a", "ab", "b"}, []string{"", "x", "y"}
	x := newIndex()
	var groups []*group
	for _, list := range ids {
		for _, prefix := range prefixes {
			for _, platform := range platforms {
				if list == nil || prefix == "" {
					groups = append(groups, &group{filter: Filter{IDs: list, Prefix: prefix, Platform: platform}})
				}
			}
		}
	}
	for _, g := range groups {
		x.add(g)
	}
	for _, id := range []string{"a", "ab", "abc", "b", "c"} {
		for _, c := range []model.Change{{Op: model.ChangeCreate, Platform: "x"}, {Op: model.ChangeUpdate, Platform: "x", WasPlatform: "y"}, {Op: model.ChangeDelete, Platform: "z"}} {
			c.ID = id
			var want, got []string
			for _, g := range groups {
				if wanted, _ := g.filter.wants(&c); wanted {
					want = append(want, g.filter.key())
				}
			}
			x.matching(&c, func(g *group) { got = append(got, g.filter.key()) })
			require.ElementsMatch(t, want, got, "%+v", c)
		}
	}
	for _, g := range groups {
		x.remove(g)
	}
	require.Equal(t, newIndex(), x)
}

// The applier and many watchers that come and go meet in the hub, while the store is loaded anew again and again: no change is
// lost, and nobody waits for anybody.
func TestHubUnderManyWatchers(t *testing.T) {
	n := mustFake()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	const entries = 3000
	for i := range 16 {
		wg.Go(func() {
			filter, want, place := []Filter{{}, {Prefix: "r1"}, {IDs: []string{"r2"}}}[i%3], entries*[]int{20, 11, 1}[i%3]/20, n.floor
			var seen []uint64
			for len(seen) < want && !t.Failed() {
				var more []uint64
				more, place = follow(ctx, t, n, Request{Since: place, Filter: filter}, want-len(seen))
				seen = append(seen, more...)
			}
			if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != want {
				t.Error("changes came twice, or in another order, or are missing")
			}
		})
	}
	for i := range entries {
		done := n.write(record(fmt.Sprint("r", i%20), "1", "linux"))
		if i%50 == 0 {
			n.hub.Reset(n.floor, done[0].Revision)
		}
	}
	wg.Wait()
}

// follow watches for a while, at most until so many changes have come.
func follow(ctx context.Context, t *testing.T, n *fakeNode, r Request, most int) (seen []uint64, place uint64) {
	place = r.Since
	w, err := n.hub.Watch(n, r)
	if err != nil {
		t.Error(err)
		return nil, place
	}
	defer w.Close()
	for tries := 0; tries < 20 && len(seen) < most; tries++ {
		events, err := w.Next(ctx)
		if errors.Is(err, io.EOF) {
			return seen, place
		}
		if err != nil {
			t.Error(err)
			return seen, place
		}
		for _, e := range events {
			if place = max(place, e.Revision); !strings.Contains(string(e.JSON), "bookmark") {
				seen = append(seen, e.Revision)
			}
		}
	}
	return seen, place
}
