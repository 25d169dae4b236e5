package history

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// told returns a write that was acknowledged with a revision.
func told(id string, op model.ChangeOp, versionNo string, revision uint64) *cluster.Write {
	w := &cluster.Write{ID: id, Op: op, VersionNo: versionNo, Platform: platform}
	if op == model.ChangeDelete {
		w.Platform = ""
	}
	w.Acknowledge(revision, 0)
	return w
}

// untold returns a write without an answer.
func untold(id string, op model.ChangeOp, versionNo string, after uint64) *cluster.Write {
	w := told(id, op, versionNo, after+1)
	w.Done, w.After, w.Until = false, after, math.MaxUint64
	return w
}

func tableOf(p *Past, writes ...*cluster.Write) (table []entry) {
	for _, w := range writes {
		c := model.Change{ID: w.ID, Op: w.Op, VersionNo: w.VersionNo, Platform: platform, Revision: w.After + 1}
		table = append(table, p.entry(&c))
	}
	return table
}

func kindsOf(found []cluster.Violation) (kinds []cluster.Kind) {
	for _, v := range found {
		kinds = append(kinds, v.Kind)
	}
	return kinds
}

// A check that would not notice a change that is missing, doubled or made up, or that takes a lawful history for a wrong one,
// would prove nothing of a chaos run.
func TestHistoryIsHeldAgainstTheWrites(t *testing.T) {
	create, update, remove := told("a", model.ChangeCreate, "1", 10), told("a", model.ChangeUpdate, "2", 20), told("a", model.ChangeDelete, "", 30)
	remove.After, remove.Until = 20, 40 // its revision is not told
	again, other := told("a", model.ChangeUpdate, "2", 25), told("b", model.ChangeCreate, "1", 15)
	maybe := untold("a", model.ChangeUpdate, "2", 10)
	gone := told("a", model.ChangeDelete, "", 30)
	late := told("a", model.ChangeDelete, "", 50)
	all := []*cluster.Write{create, update, remove}
	for name, tt := range map[string]struct {
		writes []*cluster.Write
		table  []*cluster.Write
		kinds  []cluster.Kind
	}{
		"every write once":                       {all, []*cluster.Write{create, update, gone}, nil},
		"an update is missing":                   {all, []*cluster.Write{create, gone}, []cluster.Kind{cluster.Lost}},
		"a delete is missing":                    {all, []*cluster.Write{create, update}, []cluster.Kind{cluster.Lost}},
		"an update twice":                        {all, []*cluster.Write{create, update, again, gone}, []cluster.Kind{cluster.Doubled}},
		"a delete twice":                         {all, []*cluster.Write{create, update, gone, told("a", model.ChangeDelete, "", 35)}, []cluster.Kind{cluster.Wrong}},
		"a delete later than its answer says":    {all, []*cluster.Write{create, update, late}, []cluster.Kind{cluster.Wrong, cluster.Lost}},
		"a write that nobody asked for":          {all, []*cluster.Write{create, other, update, gone}, []cluster.Kind{cluster.Wrong}},
		"a refused update is there":              {[]*cluster.Write{create}, []*cluster.Write{create, update}, []cluster.Kind{cluster.Wrong}},
		"another revision than was told":         {[]*cluster.Write{create, update}, []*cluster.Write{create, again}, []cluster.Kind{cluster.Doubled, cluster.Lost}},
		"without an answer, and not there":       {[]*cluster.Write{create, maybe}, []*cluster.Write{create}, nil},
		"without an answer, and there":           {[]*cluster.Write{create, maybe}, []*cluster.Write{create, update}, nil},
		"without an answer, and there twice":     {[]*cluster.Write{create, maybe}, []*cluster.Write{create, update, again}, []cluster.Kind{cluster.Doubled}},
		"without an answer, before it was asked": {[]*cluster.Write{untold("a", model.ChangeCreate, "1", 12)}, []*cluster.Write{create}, []cluster.Kind{cluster.Doubled}},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPast()
			table := tableOf(p, tt.table...)
			var writes []*cluster.Write
			for _, w := range tt.writes {
				each := *w
				writes = append(writes, &each)
			}
			found := p.check(table, 0, writes)
			require.ElementsMatch(t, tt.kinds, kindsOf(found), "%v", found)
		})
	}
}

// A write may be acknowledged long after it was done, or come late; and what once was there has to stay as it was.
func TestHistoryIsHeldAgainstTheTimeBefore(t *testing.T) {
	create, update := told("a", model.ChangeCreate, "1", 10), told("a", model.ChangeUpdate, "2", 20)
	maybe := untold("a", model.ChangeUpdate, "2", 10)
	p := NewPast()
	require.Empty(t, p.check(tableOf(p, create), 0, []*cluster.Write{create, maybe}))
	require.Empty(t, p.check(tableOf(p, create, update), 0, nil), "the one without an answer came late")
	require.Equal(t, 1, p.New())
	maybe.Acknowledge(20, 0)
	require.Empty(t, p.check(tableOf(p, create, update), 0, []*cluster.Write{maybe}), "and was acknowledged then")
	maybe.Acknowledge(30, 0)
	require.Equal(t, []cluster.Kind{cluster.Doubled}, kindsOf(p.check(tableOf(p, create, update), 0, []*cluster.Write{maybe})))

	require.Equal(t, []cluster.Kind{cluster.Lost}, kindsOf(p.check(tableOf(p, create), 0, nil)), "a former change is gone")
	p.check(tableOf(p, create, update), 0, nil)
	require.Equal(t, []cluster.Kind{cluster.Wrong}, kindsOf(p.check(tableOf(p, create, told("a", model.ChangeUpdate, "3", 20)), 0, nil)), "a former change is another")
	require.Equal(t, []cluster.Kind{cluster.Wrong}, kindsOf(p.check(tableOf(p, told("b", model.ChangeCreate, "1", 5), create, told("a", model.ChangeUpdate, "3", 20)), 0, nil)), "a change of the past is new")
}

// Only what the documentation lets go of may be missing, and nothing above where the history begins.
func TestHistoryLacksOnlyWhatIsLetGoOf(t *testing.T) {
	var all []*cluster.Write
	for i := range 150 {
		all = append(all, told("busy", model.ChangeUpdate, "1", uint64(i+1)))
	}
	all = append(all, told("calm", model.ChangeCreate, "1", 200))
	for i := range window {
		all = append(all, told("other", model.ChangeUpdate, "1", uint64(300+i)))
	}
	for name, tt := range map[string]struct {
		kept  []*cluster.Write
		floor uint64
		kinds []cluster.Kind
	}{
		"the newest hundred are kept":              {slices.Clone(all[50:]), 50, nil},
		"the beginning of the history stayed":      {slices.Clone(all[50:]), 49, []cluster.Kind{cluster.Lost}},
		"one too many went":                        {slices.Clone(all[51:]), 51, slices.Repeat([]cluster.Kind{cluster.Lost}, 51)},
		"one too many stayed":                      {slices.Clone(all[49:]), 49, []cluster.Kind{cluster.Wrong}},
		"one went from the middle":                 {slices.Delete(slices.Clone(all[50:]), 10, 11), 61, slices.Repeat([]cluster.Kind{cluster.Lost}, 51)},
		"one of a record that is not busy is gone": {slices.Delete(slices.Clone(all[50:]), 100, 101), 200, []cluster.Kind{cluster.Lost}},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPast()
			p.entries = tableOf(p, all...)
			require.Equal(t, tt.kinds, kindsOf(p.check(tableOf(p, tt.kept...), tt.floor, nil)))
		})
	}
}
