package history

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// Past is the table of changes of a cluster as it has to be: every write that was acknowledged is one change with its revision,
// every one of unknown outcome is one at most, and there are no others, but for what is let go of as documented. It is used while
// nobody writes.
type Past struct {
	entries []entry           // those of the table, when it was checked last
	new     int               // how many of them were not there the time before
	ids     map[string]string // one copy of each
	index   uint64            // that the table was of
	// open are the writes whose outcome is not known and for which there was no change yet.
	open map[string][]*cluster.Write
}

// entry is one change.
type entry struct {
	revision uint64
	id       string
	op       model.ChangeOp
	made     uint64 // a hash of the record, 0 of none
	ended    uint64 // a hash of the platform that the record had before
}

func (e entry) String() string {
	return fmt.Sprintf("%s of %q with revision %d", e.op, e.id, e.revision)
}

// NewPast makes the Past of a cluster to which nothing was written.
func NewPast() *Past {
	return &Past{ids: map[string]string{}, open: map[string][]*cluster.Write{}}
}

// New returns how many changes the last Check has found that were not there before.
func (p *Past) New() int { return p.new }

// Check holds a node's table against what it held the time before, and against the writes that were asked for since, and returns
// what is wrong with it.
func (p *Past) Check(ctx context.Context, db cluster.Database, writes []*cluster.Write) ([]cluster.Violation, error) {
	contents, err := db.Read(ctx)
	if err != nil {
		return nil, err
	}
	var table []entry
	err = db.EachChange(ctx, 0, func(c *model.Change) error {
		table = append(table, p.entry(c))
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.index = contents.State.Applied.Index
	return p.check(table, contents.State.ChangesFrom, writes), nil
}

func (p *Past) check(table []entry, floor uint64, writes []*cluster.Write) []cluster.Violation {
	from := firstAfter(table, p.newest())
	bounds := boundsOf(table, floor)
	found := slices.Concat(bounds.excess(), p.changed(table[:from], bounds), p.explain(table[from:], writes, bounds))
	p.entries, p.new = table, len(table)-from
	return found
}

func (p *Past) newest() uint64 {
	if len(p.entries) == 0 {
		return 0
	}
	return p.entries[len(p.entries)-1].revision
}

// firstAfter returns the place of the first change with a greater revision.
func firstAfter(table []entry, revision uint64) int {
	at, _ := slices.BinarySearchFunc(table, revision+1, func(e entry, revision uint64) int { return cmp.Compare(e.revision, revision) })
	return at
}

// changed holds what is left of former changes against them.
func (p *Past) changed(left []entry, bounds *bounds) (found []cluster.Violation) {
	for _, was := range p.entries {
		for len(left) > 0 && left[0].revision < was.revision {
			found = append(found, violation(cluster.Wrong, "the %s was not there before later ones were", left[0]))
			left = left[1:]
		}
		switch {
		case len(left) > 0 && left[0].revision == was.revision:
			if left[0] != was {
				found = append(found, violation(cluster.Wrong, "the %s is another now: the %s", was, left[0]))
			}
			left = left[1:]
		case !bounds.mayLack(was.id, was.revision):
			found = append(found, violation(cluster.Lost, "the %s is gone: %s", was, bounds.of(was.id)))
		}
	}
	return found
}

// explain holds new changes against writes, record by record.
func (p *Past) explain(changes []entry, writes []*cluster.Write, bounds *bounds) (found []cluster.Violation) {
	changesOf, writesOf := map[string][]entry{}, p.open
	p.open = map[string][]*cluster.Write{}
	for _, c := range changes {
		changesOf[c.id] = append(changesOf[c.id], c)
	}
	for _, w := range writes {
		if !slices.Contains(writesOf[w.ID], w) {
			writesOf[w.ID] = append(writesOf[w.ID], w)
		}
	}
	for id := range writesOf {
		if _, there := changesOf[id]; !there {
			changesOf[id] = nil
		}
	}
	for id, changes := range changesOf {
		found = append(found, unexplained(changes, writesOf[id])...)
		for _, w := range writesOf[id] {
			switch {
			case w.Found == 0 && !w.Done:
				p.open[id] = append(p.open[id], w)
			case w.Found == 0 && !bounds.mayLack(id, w.After+1):
				found = append(found, violation(cluster.Lost, "acknowledged and in no history: %+v: %s", *w, bounds.of(id)))
			case w.Found != 0 && (w.Found <= w.After || w.Found > w.Until):
				found = append(found, violation(cluster.Doubled, "in the history with another revision than acknowledged: %+v", *w))
			}
		}
	}
	return found
}

// unexplained finds the write of each change of one record, and returns the changes that have none. Of the writes that make the same
// the one that needs a change soonest has the first.
func unexplained(changes []entry, writes []*cluster.Write) (found []cluster.Violation) {
	byNeed := slices.SortedStableFunc(slices.Values(writes), func(a, b *cluster.Write) int { return cmp.Compare(a.Until, b.Until) })
	for _, c := range changes {
		kind := cluster.Wrong
		at := slices.IndexFunc(byNeed, func(w *cluster.Write) bool {
			if w.Op != c.op || madeBy(w) != c.made {
				return false
			}
			if w.Op != model.ChangeDelete {
				kind = cluster.Doubled // nobody makes the same twice
			}
			return w.Found == 0 && w.After < c.revision && c.revision <= w.Until
		})
		if at < 0 {
			found = append(found, violation(kind, "no write was told of the %s, and none without an answer is left that it could be; of %d of this record", c, len(writes)))
			continue
		}
		byNeed[at].Found = c.revision
	}
	return found
}

// Same returns an error unless a node's table has the changes that Check found: all of them, or those that were new.
func (p *Past) Same(ctx context.Context, db cluster.Database, all bool) error {
	want, after := p.entries, uint64(0)
	if !all {
		want = want[len(want)-p.new:]
		if p.new < len(p.entries) {
			after = p.entries[len(p.entries)-p.new-1].revision
		}
	}
	err := db.EachChange(ctx, after, func(c *model.Change) error {
		e := p.entry(c)
		if len(want) == 0 || e != want[0] {
			return fmt.Errorf("it has the %s where others have: %v", e, want[:min(1, len(want))])
		}
		want = want[1:]
		return nil
	})
	if err == nil && len(want) > 0 {
		err = fmt.Errorf("it lacks the %s and %d more", want[0], len(want)-1)
	}
	return err
}

// Served returns an error unless a node answers just the changes of these records that Check found.
func (p *Past) Served(ctx context.Context, c *cluster.Client, ids []string) error {
	want := map[string][]entry{}
	for _, id := range ids {
		want[id] = nil
	}
	for _, e := range slices.Backward(p.entries) {
		if _, asked := want[e.id]; asked {
			want[e.id] = append(want[e.id], e)
		}
	}
	for i, id := range ids {
		opts := cluster.Levels(p.index)[i%3]
		changes, complete, err := c.History(ctx, id, opts)
		if err != nil && (cluster.CodeOf(err) != "not_found" || len(want[id]) > 0) {
			return fmt.Errorf("the history of %q at %q: %w", id, opts.Level, err)
		}
		if err := p.compare(changes, complete, want[id]); err != nil {
			return fmt.Errorf("the history of %q at %q: %w", id, opts.Level, err)
		}
	}
	return nil
}

func (p *Past) compare(changes []model.Change, complete bool, want []entry) error {
	for i := range max(len(changes), len(want)) {
		if i >= len(changes) || i >= len(want) || p.entry(&changes[i]) != want[i] {
			return fmt.Errorf("change %d of %d answered is not that of the %d there are: %+v and %v", i+1, len(changes), len(want), changes[min(i, len(changes)):min(i+1, len(changes))], want[min(i, len(want)):min(i+1, len(want))])
		}
	}
	if n := len(want); n > 0 && complete != (want[n-1].op == model.ChangeCreate) {
		return fmt.Errorf("complete is %t; it begins with the %s", complete, want[n-1])
	}
	return nil
}

func (p *Past) entry(c *model.Change) entry {
	if _, known := p.ids[c.ID]; !known {
		p.ids[c.ID] = c.ID
	}
	e := entry{revision: c.Revision, id: p.ids[c.ID], op: c.Op, ended: hashOf(c.WasPlatform)}
	if c.Op == model.ChangeDelete {
		e.ended = hashOf(c.Platform)
	} else {
		e.made = hashOf(c.VersionNo, c.Platform)
	}
	return e
}

func madeBy(w *cluster.Write) uint64 {
	if w.Op == model.ChangeDelete {
		return 0
	}
	return hashOf(w.VersionNo, w.Platform)
}

func hashOf(texts ...string) uint64 {
	hash := fnv.New64a()
	for _, text := range texts {
		_, _ = hash.Write([]byte(text)) // never fails
		_, _ = hash.Write([]byte{0})
	}
	return hash.Sum64()
}

func violation(kind cluster.Kind, format string, args ...any) cluster.Violation {
	return cluster.Violation{Kind: kind, Text: fmt.Sprintf(format, args...)}
}
