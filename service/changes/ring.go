package changes

import (
	"cmp"
	"slices"
	"sync"

	"versiond/model"
)

const (
	// ringEventsMax and ringBytesMax bound the changes in memory. Watchers that are further behind read the kept log.
	ringEventsMax = 4096
	ringBytesMax  = 4 << 20
)

// change is one that is in memory, and the event that it is for watchers.
type change struct {
	model.Change
	size int // of the event, about
	once sync.Once
	json []byte
}

// logged returns changes as the ring keeps them.
func logged(changes []model.Change) []*change {
	kept, all := make([]change, len(changes)), make([]*change, len(changes))
	for i := range changes {
		kept[i].Change, kept[i].size = changes[i], sizeOf(&changes[i])
		all[i] = &kept[i]
	}
	return all
}

// sizeOf returns about how long the event of a change is.
func sizeOf(c *model.Change) int {
	const names = 96 // and what stands around them
	return names + 2*len(c.ID) + len(c.VersionNo) + len(c.Platform) + c.DetailBytes()
}

// event returns what a watcher is told of a change, for which it stays a record or not. It is made once for all of them.
func (c *change) event(stays bool) Event {
	if !stays {
		return Event{Revision: c.Revision, JSON: deletion(c.Revision, c.ID)}
	}
	c.once.Do(func() { c.json = put(c.Record()) })
	return Event{Revision: c.Revision, JSON: c.json}
}

// ring has the newest changes, of which none is missing: all of a revision above before, up to newest.
type ring struct {
	before, newest uint64
	changes        []*change // those that were let go of stand in front of from
	from           int
	bytes          int
}

func (r *ring) reset(newest uint64) { *r = ring{before: newest, newest: newest} }

func (r *ring) add(c *change) {
	r.changes = append(r.changes, c)
	r.newest = c.Revision
	r.bytes += c.size
	for len(r.changes)-r.from > ringEventsMax || r.bytes > ringBytesMax {
		oldest := r.changes[r.from]
		r.before, r.bytes = oldest.Revision, r.bytes-oldest.size
		r.changes[r.from] = nil
		r.from++
	}
	if r.from > ringEventsMax {
		r.changes, r.from = slices.Delete(r.changes, 0, r.from), 0
	}
}

// after returns the changes of a greater revision, which must not be below before.
func (r *ring) after(revision uint64) []*change {
	kept := r.changes[r.from:]
	at, _ := slices.BinarySearchFunc(kept, revision+1, func(c *change, revision uint64) int { return cmp.Compare(c.Revision, revision) })
	return kept[at:]
}
