package state

import (
	"math"
	"sync"

	"versiond/model"
)

// ChangeLimits bound the changes that are kept. What is let go must be the same on every node after every entry of the log:
// the limits count changes alone, know no clock, and cannot be changed in the life of a cluster.
type ChangeLimits struct {
	// All is how many are kept at most. When there are more the oldest Block goes at once, so that few transactions have to
	// delete.
	All, Block int
	// OfID is how many are kept of one id, beside those that are among the newest Window of all: an id that changes all
	// the time leaves those who watch the rest a window to resume in.
	OfID, Window int
}

// DefaultChangeLimits keep what a registry wants to know of its past in about 20 MB of memory.
var DefaultChangeLimits = ChangeLimits{All: model.ChangesMax, Block: 1000, OfID: 100, Window: 10_000}

// changeLog knows of every change that is kept its revision, its hash and whose it is, together with what is staged. It belongs
// to the applier; any goroutine may call history.
//
// The changes are places in a ring in the order of the log, in which places[0] is the gap between the newest and the oldest, and
// those of one id follow each other in a list. Whatever is let go is the oldest of its id. A place that is taken out of its
// ring still knows its neighbours, and can be put back as long as all that was done after it is taken back first.
type changeLog struct {
	limits ChangeLimits
	hash   func(id string) idHash
	// mu is held while the ring changes, and while others read it.
	mu     sync.RWMutex
	places []place
	free   []int32
	ofID   map[idHash]changesOfID
	window window
	count  int
	// newest is the revision of the newest change that readers may see.
	newest uint64
	// from is the revision after which every change is kept, 0 before any are.
	from uint64

	// What follows is staged.
	added  []addedChange
	steps  []step
	former uint64 // from, before anything was staged
	// held are the changes of an atomic unit, while holding.
	held    []model.Change
	holding bool
}

type place struct {
	revision, hash         uint64
	id                     idHash
	before, behind         int32 // in the ring
	beforeOfID, behindOfID int32 // of the same id; 0 for none
	gone                   bool
}

// changesOfID are those of one id.
type changesOfID struct{ oldest, newest, count int32 }

// window is the newest changes of all: the oldest of them, and how many.
type window struct{ oldest, count int32 }

// step is one thing that was staged: a place that was added or let go, and what the window was before.
type step struct {
	place  int32
	gone   bool
	window window
}

type addedChange struct {
	model.Change
	place int32
}

func newChangeLog(limits ChangeLimits, hash func(id string) idHash) *changeLog {
	return &changeLog{limits: limits, hash: hash, places: make([]place, 1), ofID: map[idHash]changesOfID{}}
}

// begin stages that changes are kept from here on, unless they are.
func (l *changeLog) begin(revision uint64) {
	if l.from == 0 {
		l.from = revision
	}
}

// hold keeps changes back until the unit that they are of is known to be done.
func (l *changeLog) hold() { l.holding = true }

// stage notes a change, which is counted in sum once it is certain.
func (l *changeLog) stage(c model.Change, sum *Sum) {
	switch {
	case l.from == 0:
	case l.holding:
		l.held = append(l.held, c)
	default:
		l.add(c, sum)
	}
}

// release stages what was held, or forgets it.
func (l *changeLog) release(done bool, sum *Sum) {
	l.holding = false
	for i := range l.held {
		if done {
			l.add(l.held[i], sum)
		}
	}
	clear(l.held)
	l.held = l.held[:0]
}

func (l *changeLog) add(c model.Change, sum *Sum) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := place{revision: c.Revision, hash: sum.AddChange(&c), id: l.hash(c.ID)}
	l.steps = append(l.steps, step{place: l.takePlace(), window: l.window})
	number := l.steps[len(l.steps)-1].place
	l.added = append(l.added, addedChange{c, number})
	left := l.append(number, p)
	for _, id := range []idHash{left, p.id} {
		l.trim(id, sum)
	}
	if l.count > l.limits.All {
		for range l.limits.Block {
			l.drop(l.places[0].behind, sum)
		}
	}
}

// takePlace returns a place that holds nothing.
func (l *changeLog) takePlace() int32 {
	if last := len(l.free) - 1; last >= 0 {
		number := l.free[last]
		l.free = l.free[:last]
		return number
	}
	l.places = append(l.places, place{})
	return int32(len(l.places) - 1)
}

// append puts the newest change into the ring, and returns the id of the one that is not in the window any more.
func (l *changeLog) append(number int32, p place) (left idHash) {
	of := l.ofID[p.id]
	p.before, p.beforeOfID = l.places[0].before, of.newest
	l.places[number] = p
	l.places[p.before].behind, l.places[0].before = number, number
	if of.newest != 0 {
		l.places[of.newest].behindOfID = number
	} else {
		of.oldest = number
	}
	of.newest = number
	of.count++
	l.ofID[p.id] = of
	l.count++
	if l.window.count++; l.window.count == 1 {
		l.window.oldest = number
	}
	if int(l.window.count) <= l.limits.Window {
		return p.id
	}
	leaves := l.places[l.window.oldest]
	l.window = window{oldest: leaves.behind, count: l.window.count - 1}
	return leaves.id
}

// trim lets go of the oldest change of an id that has too many, unless that is in the window.
func (l *changeLog) trim(id idHash, sum *Sum) {
	of := l.ofID[id]
	if int(of.count) > l.limits.OfID && l.places[of.oldest].revision < l.places[l.window.oldest].revision {
		l.drop(of.oldest, sum)
	}
}

// drop lets go of a change, which is the oldest of its id.
func (l *changeLog) drop(number int32, sum *Sum) {
	l.steps = append(l.steps, step{place: number, gone: true, window: l.window})
	p := &l.places[number]
	p.gone = true
	l.places[p.before].behind, l.places[p.behind].before = p.behind, p.before
	if of := l.ofID[p.id]; of.count > 1 {
		l.places[p.behindOfID].beforeOfID = 0
		l.ofID[p.id] = changesOfID{oldest: p.behindOfID, newest: of.newest, count: of.count - 1}
	} else {
		delete(l.ofID, p.id)
	}
	l.count--
	if l.window.oldest == number {
		l.window = window{oldest: p.behind, count: l.window.count - 1}
	}
	l.from = max(l.from, p.revision)
	sum.hashes -= p.hash
}

// changes returns what is staged: the changes that are new, and those of before that are let go: all from the oldest one to
// another, which they mostly are, and the revisions of the rest.
func (l *changeLog) changes() (added []model.Change, gone model.Range, rest []uint64) {
	added = make([]model.Change, 0, len(l.added))
	for i := range l.added {
		if !l.places[l.added[i].place].gone {
			added = append(added, l.added[i].Change)
		}
	}
	oldest := l.oldest()
	for _, s := range l.steps {
		switch p := &l.places[s.place]; {
		case !s.gone || l.isAdded(p):
		case p.revision > oldest:
			rest = append(rest, p.revision)
		case gone.Through == 0:
			gone = model.Range{From: p.revision, Through: p.revision}
		default:
			gone = model.Range{From: min(gone.From, p.revision), Through: max(gone.Through, p.revision)}
		}
	}
	return added, gone, rest
}

// oldest returns the revision of the oldest change that is kept, with what is staged.
func (l *changeLog) oldest() uint64 {
	if l.count == 0 {
		return math.MaxUint64
	}
	return l.places[l.places[0].behind].revision
}

func (l *changeLog) isAdded(p *place) bool {
	return len(l.added) > 0 && p.revision >= l.added[0].Revision
}

// publish keeps what is staged, and returns all changes that were added.
func (l *changeLog) publish() []model.Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	published := make([]model.Change, len(l.added))
	for i := range l.added {
		published[i] = l.added[i].Change
		l.newest = published[i].Revision
	}
	for _, s := range l.steps {
		if s.gone {
			l.places[s.place] = place{}
			l.free = append(l.free, s.place)
		}
	}
	l.settle()
	return published
}

func (l *changeLog) settle() {
	clear(l.added)
	l.added, l.steps, l.former = l.added[:0], l.steps[:0], l.from
}

// load takes a change of the store, which come in the order of the log.
func (l *changeLog) load(c *model.Change, hash uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = c.Revision
	l.append(l.takePlace(), place{revision: c.Revision, hash: hash, id: l.hash(c.ID)})
}

// loadFrom takes from where on the changes are kept.
func (l *changeLog) loadFrom(revision uint64) { l.from, l.former = revision, revision }

func (l *changeLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.places, l.free, l.ofID = make([]place, 1), nil, map[idHash]changesOfID{}
	l.window, l.count, l.newest, l.from = window{}, 0, 0, 0
	l.release(false, nil)
	l.settle()
}
