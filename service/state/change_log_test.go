package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// naiveLog works out what is kept, as simply as that can be done.
type naiveLog struct {
	limits ChangeLimits
	kept   []model.Change
	from   uint64
}

func (l *naiveLog) add(c model.Change) {
	l.kept = append(l.kept, c)
	ofID := map[string]int{}
	for i, each := range slices.Backward(l.kept) {
		if ofID[each.ID]++; ofID[each.ID] > l.limits.OfID && i < len(l.kept)-l.limits.Window {
			l.drop(i)
		}
	}
	if len(l.kept) > l.limits.All {
		for range l.limits.Block {
			l.drop(0)
		}
	}
}

func (l *naiveLog) drop(i int) {
	l.from = max(l.from, l.kept[i].Revision)
	l.kept = slices.Delete(l.kept, i, i+1)
}

// logOf is what a store has after what it was told.
type logOf struct {
	rows []model.Change
	from uint64
}

func (s *logOf) write(changes model.Changes, from uint64) {
	s.rows = slices.DeleteFunc(s.rows, func(c model.Change) bool {
		return c.Revision >= changes.LetGo.From && c.Revision <= changes.LetGo.Through || slices.Contains(changes.LetGoToo, c.Revision)
	})
	s.rows, s.from = append(s.rows, changes.Log...), from
}

func (s *logOf) sum() (sum Sum) {
	for i := range s.rows {
		sum.AddChange(&s.rows[i])
	}
	sum.SetChangesFrom(s.from)
	return sum
}

// Nodes put the entries of the log into transactions as they like, give some of them up, and begin anew from what their
// stores hold. If what they keep followed from any of that, they would differ, and a watcher would miss changes on one.
func TestWhatIsKeptFollowsFromTheLogAlone(t *testing.T) {
	limits := ChangeLimits{All: 60, Block: 7, OfID: 3, Window: 20}
	random := rand.New(rand.NewPCG(3, 4))
	want := naiveLog{limits: limits, from: 7}
	r, store := New(DefaultDedupLimits, limits), &logOf{}
	r.KeepChanges(7)
	revision, exists := uint64(7), map[string]bool{}
	stage := func(on *Records, id string, existed bool, op int, at uint64) (Change, *model.Origin) {
		c := Change{Version: model.Version{ID: id, Revision: at, VersionNo: fmt.Sprint(op), Platform: fmt.Sprint("p", at%3)}, Updated: existed}
		if existed && op == 0 {
			c = Change{Version: model.Version{ID: id, Revision: at}, Deleted: true}
		}
		origin := &model.Origin{At: int64(at), By: "ci"}
		on.Stage(c, origin)
		return c, origin
	}
	for range 600 {
		before := r.Sum()
		if random.IntN(3) == 0 { // a transaction that is given up
			for i := range 1 + random.IntN(30) {
				stage(r, fmt.Sprint("id", random.IntN(9)), false, 1, revision+100+uint64(i))
			}
			r.Discard()
			require.Equal(t, before, r.Sum())
			require.Equal(t, before, r.StagedSum())
		}
		for range 1 + random.IntN(12) {
			if random.IntN(4) == 0 { // a unit that is refused
				r.Begin()
				stage(r, "id1", true, 0, revision+1)
				r.End(false)
			}
			atomic := random.IntN(4) == 0
			if atomic {
				r.Begin()
			}
			for range 1 + random.IntN(3) {
				revision++
				id := "hot"
				if random.IntN(3) > 0 {
					id = fmt.Sprint("id", random.IntN(40))
				}
				platform := r.platform(id)
				c, origin := stage(r, id, exists[id], random.IntN(3), revision)
				if exists[id] = !c.Deleted; c.Deleted {
					c.Platform = platform
				}
				want.add(changeOf(&c, platform, origin))
			}
			if atomic {
				r.End(true)
			}
			require.Equal(t, want.from, r.ChangesFrom())
		}
		changes := r.Changes()
		requireRange(t, changes, store.rows, want.kept)
		store.write(changes, r.ChangesFrom())
		require.Equal(t, want.kept, store.rows)
		staged := r.StagedSum()
		r.Publish()
		require.Equal(t, staged, r.Sum())
		require.Equal(t, store.sum().hashes, r.Sum().hashes-rowsOf(r))
		if random.IntN(20) == 0 { // a start
			next := New(DefaultDedupLimits, limits)
			next.index, next.sum = r.index, Sum{records: r.sum.records, hashes: rowsOf(r)}
			next.log.hash = r.index.hash
			for i := range store.rows {
				next.LoadChange(&store.rows[i])
			}
			next.LoadChangesFrom(store.from)
			require.Equal(t, r.Sum(), next.Sum())
			r = next
		}
	}
	require.Greater(t, want.from, uint64(100))
	require.LessOrEqual(t, len(r.log.places), 3*limits.All, "places are used again")
}

// requireRange requires that the store is told of a range from its first row on, and by revision only of what lies between those that
// it keeps. If this fails, a registry of few records has each write look for a row of its own to delete, or for the first one
// among all those that were deleted.
func requireRange(t *testing.T, changes model.Changes, before, after []model.Change) {
	t.Helper()
	if changes.LetGo.Through != 0 {
		require.Equal(t, before[0].Revision, changes.LetGo.From)
		require.Less(t, changes.LetGo.Through, after[0].Revision)
	}
	for _, revision := range changes.LetGoToo {
		require.Greater(t, revision, after[0].Revision)
	}
}

// rowsOf returns the sum of the hashes of all rows.
func rowsOf(r *Records) (sum uint64) {
	for i := range r.index.shards {
		for _, packed := range r.index.shards[i].marks {
			sum += packed.mark().hash
		}
	}
	return sum
}

// Nothing may be kept, and no checksum may change, before the log says so: nodes of the release before are there.
func TestNoChangeIsKeptBeforeTheLogOfChangesBegins(t *testing.T) {
	r, before := New(DefaultDedupLimits, DefaultChangeLimits), New(DefaultDedupLimits, DefaultChangeLimits)
	c := Change{Version: model.Version{ID: "a", VersionNo: "1", Platform: "ios", Revision: 9}}
	r.Stage(c, nil)
	require.Empty(t, r.Changes().Log)
	before.staged.sum.Add(&c.Version)
	require.Equal(t, before.StagedSum(), r.StagedSum())
	_, kept := r.Publish()
	require.Empty(t, kept)

	r.KeepChanges(20)
	r.Discard()
	require.Zero(t, r.ChangesFrom(), "it was given up")
	r.KeepChanges(20)
	r.KeepChanges(30)
	require.EqualValues(t, 20, r.ChangesFrom(), "the first one counts")
	r.Stage(Change{Version: model.Version{ID: "a", Revision: 31}, Deleted: true}, &model.Origin{At: 5, By: "ops"})
	_, kept = r.Publish()
	require.Equal(t, []model.Change{{Revision: 31, Op: model.ChangeDelete, ID: "a", Platform: "ios", At: 5, By: "ops"}}, kept)
}

// 200,000 changes are kept, of any ids, and must not take much more memory than the documents say.
func TestKeptChangesAreBounded(t *testing.T) {
	before := heapBytes()
	r := New(DefaultDedupLimits, DefaultChangeLimits)
	r.KeepChanges(1)
	for i := range 3 * DefaultChangeLimits.All / 2 {
		c := model.Change{Revision: uint64(i + 2), Op: model.ChangeCreate, ID: fmt.Sprint("package-", i), Platform: "linux", VersionNo: "1"}
		r.log.stage(c, &r.staged.sum)
		if i%500 == 0 {
			r.Publish()
		}
	}
	r.Publish()
	used := heapBytes() - before
	t.Logf("%d changes take %d MB", r.log.count, used>>20)
	require.LessOrEqual(t, r.log.count, DefaultChangeLimits.All)
	require.Less(t, used, uint64(40<<20))
}

// What platforms records once had must not be remembered for ever.
func TestPlatformsAreForgotten(t *testing.T) {
	x := newIndex()
	for i := range 1000 {
		x.set("a", Mark{Revision: uint64(i)}, fmt.Sprint("platform", i))
		x.set("b", Mark{Revision: uint64(i)}, "linux")
		require.Equal(t, fmt.Sprint("platform", i), x.platform("a"))
		require.Equal(t, "linux", x.platform("b"))
	}
	require.LessOrEqual(t, len(x.platforms.known), 3)
	x.remove("a")
	require.Empty(t, x.platform("a"))
	require.Len(t, x.platforms.numbers, 1)
}

// Readers ask for the history of an id while the applier stages, gives up and publishes. What they are told is what was published,
// the newest first.
func TestHistoryIsReadWhileChangesCome(t *testing.T) {
	r := New(DefaultDedupLimits, ChangeLimits{All: 60, Block: 7, OfID: 3, Window: 20})
	r.KeepChanges(1)
	r.Publish()
	var published atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for revision := uint64(2); revision < 4000; revision += 2 {
			r.Stage(Change{Version: model.Version{ID: "a", Revision: revision}}, nil)
			r.Discard()
			r.Stage(Change{Version: model.Version{ID: "a", Revision: revision}}, nil)
			r.Publish()
			published.Store(revision)
		}
	}()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		before := published.Load()
		marks, oldest := r.History("a", 0, 10)
		if before == 0 {
			continue
		}
		require.GreaterOrEqual(t, marks[0].Revision, before)
		require.LessOrEqual(t, oldest.Revision, marks[len(marks)-1].Revision)
		for i := range marks[1:] {
			require.Greater(t, marks[i].Revision, marks[i+1].Revision)
		}
	}
	marks, _ := r.History("a", 3998, 2)
	require.Equal(t, []uint64{3996, 3994}, []uint64{marks[0].Revision, marks[1].Revision})
}
