package state

import (
	"sync"

	"versiond/model"
)

// DedupLimits bound what is remembered of units with keys. What is forgotten decides outcomes, so every
// node must forget at the same entry of the log: the limits follow from the log alone, know no clock, and
// cannot be changed in the life of a cluster.
type DedupLimits struct {
	// Units is how many are remembered, the newest.
	Units int
	// Bytes is how much their outcomes may take together, in the form in which they are kept.
	Bytes int
	// Indexes is how many log indexes back a unit is remembered at most.
	Indexes uint64
}

// DefaultDedupLimits keep a key for longer than the longest timeout of a request (60 s) while 5,000 requests a
// second have one, in about 35 MB, and 32 MiB more when all are large batches.
var DefaultDedupLimits = DedupLimits{Units: 300_000, Bytes: 32 << 20, Indexes: 1_000_000}

// dedup is what a node remembers of units with keys, together with what is staged. It belongs to the
// applier; any goroutine may call decided.
type dedup struct {
	limits DedupLimits
	// mu is held while list and places change, and while others read them.
	mu sync.RWMutex
	// list has the remembered units in the order of the log. Those before staleBefore are forgotten by
	// what is staged, those from fresh on are staged.
	list               []model.DedupRecord
	staleBefore, fresh int
	bytes              int // of the outcomes that are remembered with what is staged
	// places is where in list a key is, counted from the first unit that was ever remembered here;
	// passed is how many of those list no longer has. Keys of the forgotten may be missing.
	places map[[16]byte]int
	passed int
}

func newDedup(limits DedupLimits) *dedup {
	return &dedup{limits: limits, places: map[[16]byte]int{}}
}

// find returns what is remembered under a key when the entry at index is decided.
func (d *dedup) find(key [16]byte, index uint64) (model.DedupRecord, bool) {
	place, found := d.places[key]
	if place -= d.passed; !found || place < d.staleBefore {
		return model.DedupRecord{}, false
	}
	record := d.list[place]
	return record, !d.tooOld(&record, index)
}

// decided reports whether this request is remembered under its key when the entry at index is decided.
func (d *dedup) decided(request *model.Idempotency, index uint64) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	record, found := d.find(request.Key, index)
	return found && record.Request == request.Request
}

func (d *dedup) tooOld(record *model.DedupRecord, index uint64) bool {
	return model.IndexOf(record.Revision)+d.limits.Indexes < index
}

// stage remembers a unit, and returns what is forgotten for it.
func (d *dedup) stage(record model.DedupRecord) (forgotten []model.DedupRecord) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.places[record.Key] = d.passed + len(d.list)
	d.list = append(d.list, record)
	d.bytes += len(record.Outcomes)
	first := d.staleBefore
	for d.tooMany() || d.tooOld(&d.list[d.staleBefore], model.IndexOf(record.Revision)) {
		d.bytes -= len(d.list[d.staleBefore].Outcomes)
		d.staleBefore++
	}
	return d.list[first:d.staleBefore]
}

// tooMany leaves the newest, whatever its size.
func (d *dedup) tooMany() bool {
	n := len(d.list) - d.staleBefore
	return n > 1 && (n > d.limits.Units || d.bytes > d.limits.Bytes)
}

// changes returns what is staged, without what is forgotten already, and what of before is forgotten.
func (d *dedup) changes() (added []model.DedupRecord, forgotten model.Range) {
	if d.staleBefore > 0 {
		forgotten = model.Range{From: d.list[0].Revision, Through: d.list[d.staleBefore-1].Revision}
	}
	return d.list[max(d.fresh, d.staleBefore):], forgotten
}

// publish keeps what is staged.
func (d *dedup) publish() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.list[:d.staleBefore] {
		if key := d.list[i].Key; d.places[key] == d.passed+i {
			delete(d.places, key)
		}
	}
	d.passed += d.staleBefore
	d.list = d.list[d.staleBefore:] // append moves what is left once the array is full
	d.staleBefore, d.fresh = 0, len(d.list)
}

// discard forgets what is staged, and remembers again what was forgotten for it.
func (d *dedup) discard() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.list[:d.staleBefore] {
		d.bytes += len(d.list[i].Outcomes)
	}
	for _, staged := range d.list[d.fresh:] {
		delete(d.places, staged.Key)
		d.bytes -= len(staged.Outcomes)
	}
	d.list = d.list[:d.fresh]
	for i := range d.list[:min(d.staleBefore, d.fresh)] {
		d.places[d.list[i].Key] = d.passed + i
	}
	d.staleBefore = 0
}

// load takes a dedup record of the store, which come in the order of the log.
func (d *dedup) load(record model.DedupRecord) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.places[record.Key] = d.passed + len(d.list)
	d.list = append(d.list, record)
	d.bytes += len(record.Outcomes)
	d.fresh = len(d.list)
}

func (d *dedup) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list, d.staleBefore, d.fresh, d.bytes = nil, 0, 0, 0
	d.places, d.passed = map[[16]byte]int{}, 0
}
