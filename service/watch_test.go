package service

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/changes"
)

// event is what a watcher is told.
type event struct {
	Type     string
	Revision uint64
	ID       string
	Record   *model.VersionDB
}

func mustEvents(t *testing.T, told []changes.Event) (events []event) {
	t.Helper()
	for _, each := range told {
		var e event
		require.NoError(t, json.Unmarshal(each.JSON, &e))
		events = append(events, e)
	}
	return events
}

// mustWatchable returns once the cluster of a node keeps changes.
func (n *testNode) mustWatchable(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return n.mysql.changesFloor() > 0 })
}

// mustWatch watches until the test ends.
func (n *testNode) mustWatch(t *testing.T, r changes.Request) *changes.Watcher {
	t.Helper()
	w, err := n.Watch(within(t, serviceTimeout), r, model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

func mustNext(t *testing.T, w *changes.Watcher) []event {
	t.Helper()
	told, err := w.Next(within(t, serviceTimeout))
	require.NoError(t, err)
	return mustEvents(t, told)
}

// requireEnd reads a stream up to its end and returns the place to go on from, 0 for none.
func requireEnd(t *testing.T, w *changes.Watcher) (place uint64) {
	t.Helper()
	for {
		told, err := w.Next(within(t, serviceTimeout))
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return place
		}
		place = told[len(told)-1].Revision
	}
}

// Watchers go from node to node while others write to all of them, the leader changes and one builds its store anew. Put
// together, each has seen every change of its filter once, in the order of the revisions: those that were acknowledged.
func TestWatchersGoFromNodeToNode(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	for _, n := range nodes {
		n.mustWatchable(t)
	}
	begin := nodes[0].mustAdd(t, "begin", "1").Record.Revision
	filters := []changes.Filter{{}, {Prefix: "r1"}, {Platform: "linux"}, {IDs: []string{"r2", "r3"}}}
	done := make(chan struct{})
	seen := make([][]event, 2*len(filters))
	var watchers, writers sync.WaitGroup
	for i := range seen {
		watchers.Go(func() { seen[i] = wander(t, nodes, filters[i%len(filters)], begin, done) })
	}
	acknowledged := make([]map[uint64]bool, 3)
	for i := range acknowledged {
		writers.Go(func() { acknowledged[i] = write(t, nodes[i], uint64(i)) })
	}
	nodes[1].mustTakeOver(t)
	require.NoError(t, nodes[2].node.RebuildStore(within(t, serviceTimeout)))
	nodes[0].mustTakeOver(t)
	writers.Wait()
	close(done)
	watchers.Wait()

	var all []model.Change
	for place := begin; ; place = all[len(all)-1].Revision {
		page, _, err := nodes[0].mysql.changesAfter(t.Context(), place, 1000)
		require.NoError(t, err)
		if all = append(all, page.list...); len(page.list) == 0 {
			break
		}
	}
	kept := map[uint64]bool{}
	for _, c := range all {
		kept[c.Revision] = true
	}
	for _, each := range acknowledged {
		for revision := range each {
			require.True(t, kept[revision], "an acknowledged write is no change")
		}
	}
	for i, events := range seen {
		require.Equal(t, wanted(all, filters[i%len(filters)]), told(events), "%+v", filters[i%len(filters)])
	}
}

// wander watches for a moment here and for a moment there until done, and then until nothing more comes.
func wander(t *testing.T, nodes []*testNode, filter changes.Filter, place uint64, done chan struct{}) (seen []event) {
	last := false
	for !last {
		select {
		case <-done:
			last = true
		default:
		}
		n, r := nodes[rand.IntN(len(nodes))], changes.Request{Filter: filter, Since: place}
		if last { // what was acknowledged is there wherever one asks now
			r.Since = max(place, model.Revision(0, 0))
			index, err := n.reads.freshIndex(within(t, serviceTimeout), model.LevelLinearizable)
			if !assert.NoError(t, err) || !assert.NoError(t, n.node.WaitApplied(within(t, serviceTimeout), index)) {
				return seen
			}
		}
		w, err := n.Watch(within(t, serviceTimeout), r, model.ReadOptions{Level: model.LevelNone})
		if err != nil { // it builds its store anew
			assert.ErrorIs(t, err, model.ErrNotCaughtUp)
			last = false
			continue
		}
		var more []event
		more, place = untilBookmark(t, w, place)
		seen = append(seen, more...)
		w.Close()
	}
	return seen
}

// untilBookmark reads what there is.
func untilBookmark(t *testing.T, w *changes.Watcher, since uint64) (seen []event, place uint64) {
	place = since
	for {
		told, err := w.Next(within(t, serviceTimeout))
		if err != nil {
			assert.ErrorIs(t, err, io.EOF)
			return seen, place
		}
		for _, e := range mustEvents(t, told) {
			if place = max(place, e.Revision); e.Type == "bookmark" {
				return seen, place
			}
			seen = append(seen, e)
		}
	}
}

// write does some writes at a node, and returns the revisions that were acknowledged.
func write(t *testing.T, n *testNode, seed uint64) map[uint64]bool {
	dice, acknowledged := rand.New(rand.NewPCG(seed, 1)), map[uint64]bool{}
	for i := range 250 {
		r := record(fmt.Sprint("r", dice.IntN(20)), fmt.Sprint(i+1))
		if dice.IntN(3) == 0 {
			r.Platform = "ios"
		}
		result, err := n.AddVersion(within(t, serviceTimeout), r, model.WriteOptions{})
		if err != nil && dice.IntN(4) == 0 {
			result, err = n.DeleteVersion(within(t, serviceTimeout), r.ID, model.WriteOptions{})
		} else if err != nil {
			result, err = n.UpdateVersion(within(t, serviceTimeout), r, model.WriteOptions{})
		}
		if err == nil && result.Record.Revision != 0 {
			acknowledged[result.Record.Revision] = true
		}
	}
	return acknowledged
}

// A database that comes back without its last commits has none of the changes that watchers know to be there. If this fails, a
// watcher that reads them from it goes on behind them, and never hears of a record.
func TestWatchersPassOverNothingThatTheStoreHasLost(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustWatchable(t)
	place := n.mustAdd(t, "kept", "1").Record.Revision
	before, err := n.store.State(t.Context())
	require.NoError(t, err)
	lost := n.mustAdd(t, "lost", "1").Record.Revision
	n.loseSince(t, before)

	read := func() ([]model.Change, error) {
		list, _, err := watchedNode{n.VersionService}.ChangesAfter(within(t, serviceTimeout), place, 10)
		return list, err
	}
	if list, err := read(); err == nil { // it was mended already
		require.Len(t, list, 1)
	}
	eventually(t, func() bool { list, err := read(); return err == nil && len(list) == 1 && list[0].Revision == lost })
}

// wanted returns the changes of a filter as lines.
func wanted(all []model.Change, filter changes.Filter) (lines []string) {
	for _, c := range all {
		ours := len(filter.IDs) == 0 || slices.Contains(filter.IDs, c.ID)
		ours = ours && len(c.ID) >= len(filter.Prefix) && c.ID[:len(filter.Prefix)] == filter.Prefix
		kind := "put"
		switch {
		case !ours, filter.Platform != "" && filter.Platform != c.Platform && filter.Platform != c.WasPlatform:
			continue
		case c.Op == model.ChangeDelete, filter.Platform != "" && filter.Platform != c.Platform:
			kind = "delete"
		}
		lines = append(lines, fmt.Sprint(kind, c.Revision, c.ID))
	}
	return lines
}

func told(events []event) (lines []string) {
	for _, e := range events {
		if e.Record != nil {
			e.ID = e.Record.ID
		}
		lines = append(lines, fmt.Sprint(e.Type, e.Revision, e.ID))
	}
	return lines
}

// A revision that only another node has is waited for, and one that no node has is an error that says so.
func TestSinceOfTheFuture(t *testing.T) {
	t.Parallel()
	nodes, follower, added := mustLevelPair(t)
	follower.mustWatchable(t)
	_, err := follower.Watch(within(t, serviceTimeout), changes.Request{Since: model.Revision(added.Index+1000, 0)}, model.ReadOptions{})
	var invalid *model.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "since", invalid.Fields[0].Field)

	for i := range 50 {
		added := nodes[0].mustAdd(t, fmt.Sprint("b", i), "1")
		w := follower.mustWatch(t, changes.Request{Since: added.Record.Revision})
		require.Equal(t, "bookmark", mustNext(t, w)[0].Type)
		require.GreaterOrEqual(t, follower.AppliedIndex(), added.Index)
	}
}

// To go on from what is known to be committed asks nobody: it works without a leader.
func TestAWatchGoesOnWithoutALeader(t *testing.T) {
	t.Parallel()
	nodes, follower, _ := mustLevelPair(t)
	follower.mustWatchable(t)
	nodes[0].peers.silence(nodes[0].address, true)
	for i := range 5 { // it would have to have applied it already each time
		added := nodes[0].mustAdd(t, fmt.Sprint("c", i), "1")
		eventually(t, func() bool { return follower.node.CommitIndex() >= added.Index })
		require.Equal(t, "bookmark", mustNext(t, follower.mustWatch(t, changes.Request{Since: added.Record.Revision}))[0].Type)
	}
	nodes[0].peers.silence(nodes[0].address, false)
}

// since=0 and now begin with all that was acknowledged before, on whichever node one asks.
func TestWatchesBeginFresh(t *testing.T) {
	t.Parallel()
	nodes, follower, _ := mustLevelPair(t)
	follower.mustWatchable(t)
	for i := range 20 {
		id := fmt.Sprint("fresh", i)
		added := nodes[0].mustAdd(t, id, "1")
		require.Equal(t, []event{{Type: "put", Revision: added.Record.Revision, Record: &added.Record}},
			mustNext(t, follower.mustWatch(t, changes.Request{List: true, Filter: changes.Filter{IDs: []string{id}}})))
		require.GreaterOrEqual(t, mustNext(t, follower.mustWatch(t, changes.Request{Now: true}))[0].Revision, added.Record.Revision)
	}
}

// A follower lets entries gather for as long as nobody waits. Somebody who watches does.
func TestChangesReachWatchersOfAFollowerSoon(t *testing.T) {
	t.Parallel()
	nodes, follower, _ := mustLevelPair(t)
	follower.mustWatchable(t)
	w := follower.mustWatch(t, changes.Request{Now: true})
	require.Equal(t, "bookmark", mustNext(t, w)[0].Type)
	took := make([]time.Duration, 21)
	for i := range took {
		nodes[0].mustAdd(t, fmt.Sprint("soon", i), "1")
		acknowledged := time.Now()
		require.Equal(t, "put", mustNext(t, w)[0].Type)
		took[i] = time.Since(acknowledged)
	}
	slices.Sort(took)
	require.Less(t, took[len(took)/2], 120*time.Millisecond)
}

// After the restore of a backup nobody goes on from before it: what was there is not what was told.
func TestRestoreSendsWatchersBackToTheBeginning(t *testing.T) {
	t.Parallel()
	other := nodeOptions{}.mustLead(t)
	other.mustAdd(t, "theirs", "1")
	n := nodeOptions{}.mustLead(t)
	n.mustWatchable(t)
	for _, file := range [][]byte{n.mustBackup(t), other.mustBackup(t)} {
		w := n.mustWatch(t, changes.Request{Now: true})
		n.mustAdd(t, fmt.Sprint("ours", len(file)), "1")
		_, err := n.restore(t, file, true)
		require.NoError(t, err)
		place := requireEnd(t, w)
		require.NotZero(t, place)

		var gone *model.RevisionGone
		_, err = n.Watch(within(t, serviceTimeout), changes.Request{Since: place}, model.ReadOptions{})
		require.ErrorAs(t, err, &gone)
		require.Equal(t, "bookmark", mustNext(t, n.mustWatch(t, changes.Request{Since: gone.Oldest}))[0].Type)
	}
	require.Equal(t, "theirs", mustNext(t, n.mustWatch(t, changes.Request{List: true}))[0].Record.ID)
}

// A store that is built anew ends the streams; nothing is missing for whoever comes back.
func TestRebuiltStoreEndsStreams(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustWatchable(t)
	w := n.mustWatch(t, changes.Request{Now: true})
	require.Equal(t, "bookmark", mustNext(t, w)[0].Type)
	n.mustAdd(t, "a", "1")
	require.Equal(t, "a", mustNext(t, w)[0].Record.ID)
	require.NoError(t, n.node.RebuildStore(within(t, serviceTimeout)))
	place := requireEnd(t, w)
	eventually(t, n.guard.Serving)
	n.mustAdd(t, "b", "1")
	require.Equal(t, "b", mustNext(t, n.mustWatch(t, changes.Request{Since: place}))[0].Record.ID)
}

// A node that is no member any more, or stops, has nothing to tell.
func TestWatchesOfALostNode(t *testing.T) {
	t.Parallel()
	nodes, follower, _ := mustLevelPair(t)
	follower.mustWatchable(t)
	require.NoError(t, nodes[0].DeleteFatalPeer(within(t, serviceTimeout), "node2", true))
	eventually(t, func() bool { return follower.cluster.Removed() != nil })
	_, err := follower.Watch(within(t, time.Second), changes.Request{Now: true}, model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, model.ErrNodeRemoved)

	w := nodes[0].mustWatch(t, changes.Request{Now: true})
	nodes[0].EndWatches()
	require.NotZero(t, requireEnd(t, w))
	_, err = nodes[0].Watch(within(t, serviceTimeout), changes.Request{Now: true}, model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
}
