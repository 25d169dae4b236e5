package service

import (
	"github.com/cespare/xxhash/v2"

	"versiond/model"
	"versiond/wire"
)

// dedupLimits bound what is remembered of units with keys. What is forgotten decides outcomes, so every
// node must forget at the same entry of the log: the limits follow from the log alone, know no clock, and
// cannot be changed in the life of a cluster.
type dedupLimits struct {
	// units is how many are remembered, the newest.
	units int
	// bytes is how much their outcomes may take together, in the form in which they are kept.
	bytes int
	// indexes is how many log indexes back a unit is remembered at most.
	indexes uint64
}

// defaultDedupLimits keep a key for longer than the longest timeout of a request (60 s) while 5,000 requests a
// second have one, in about 35 MB, and 32 MiB more when all are large batches.
var defaultDedupLimits = dedupLimits{units: 300_000, bytes: 32 << 20, indexes: 1_000_000}

// dedup is what a node remembers of units with keys, together with what is staged. It belongs to the
// applier.
type dedup struct {
	limits dedupLimits
	// list has the remembered units in the order of the log. Those before staleBefore are forgotten by
	// what is staged, those from fresh on are staged.
	list               []model.DedupRecord
	staleBefore, fresh int
	bytes              int // of the outcomes that are remembered with what is staged
	// places says where in list a key is, counted from the first unit that was ever remembered here;
	// passed is how many of those list no longer has. Keys of the forgotten may be missing.
	places map[[16]byte]int
	passed int
}

func newDedup() *dedup {
	return &dedup{limits: defaultDedupLimits, places: map[[16]byte]int{}}
}

// find returns what is remembered under a key when the entry at index is decided.
func (m *dedup) find(key [16]byte, index uint64) (model.DedupRecord, bool) {
	place, found := m.places[key]
	if place -= m.passed; !found || place < m.staleBefore {
		return model.DedupRecord{}, false
	}
	record := m.list[place]
	return record, !m.tooOld(&record, index)
}

func (m *dedup) tooOld(record *model.DedupRecord, index uint64) bool {
	return model.IndexOf(record.Revision)+m.limits.indexes < index
}

// stage remembers a unit, and gives what is forgotten for it.
func (m *dedup) stage(record model.DedupRecord) (forgotten []model.DedupRecord) {
	m.places[record.Key] = m.passed + len(m.list)
	m.list = append(m.list, record)
	m.bytes += len(record.Outcomes)
	first := m.staleBefore
	for m.tooMany() || m.tooOld(&m.list[m.staleBefore], model.IndexOf(record.Revision)) {
		m.bytes -= len(m.list[m.staleBefore].Outcomes)
		m.staleBefore++
	}
	return m.list[first:m.staleBefore]
}

// tooMany leaves the newest, whatever its size.
func (m *dedup) tooMany() bool {
	n := len(m.list) - m.staleBefore
	return n > 1 && (n > m.limits.units || m.bytes > m.limits.bytes)
}

// changes returns what is staged, without what is forgotten already, and the revision up to which all is
// forgotten.
func (m *dedup) changes() (added []model.DedupRecord, forgetThrough uint64) {
	if m.staleBefore > 0 {
		forgetThrough = m.list[m.staleBefore-1].Revision
	}
	return m.list[max(m.fresh, m.staleBefore):], forgetThrough
}

// publish keeps what is staged.
func (m *dedup) publish() {
	for i := range m.list[:m.staleBefore] {
		if key := m.list[i].Key; m.places[key] == m.passed+i {
			delete(m.places, key)
		}
	}
	m.passed += m.staleBefore
	m.list = m.list[m.staleBefore:] // append moves what is left once the array is full
	m.staleBefore, m.fresh = 0, len(m.list)
}

// discard forgets what is staged, and remembers again what was forgotten for it.
func (m *dedup) discard() {
	for i := range m.list[:m.staleBefore] {
		m.bytes += len(m.list[i].Outcomes)
	}
	for _, staged := range m.list[m.fresh:] {
		delete(m.places, staged.Key)
		m.bytes -= len(staged.Outcomes)
	}
	m.list = m.list[:m.fresh]
	for i := range m.list[:min(m.staleBefore, m.fresh)] {
		m.places[m.list[i].Key] = m.passed + i
	}
	m.staleBefore = 0
}

// load takes a dedup record of the store, which come in the order of the log.
func (m *dedup) load(record model.DedupRecord) {
	m.places[record.Key] = m.passed + len(m.list)
	m.list = append(m.list, record)
	m.bytes += len(record.Outcomes)
	m.fresh = len(m.list)
}

func (m *dedup) clear() { *m = dedup{limits: m.limits, places: map[[16]byte]int{}} }

// dedupHash hashes a dedup record for the checksum. The byte before it keeps it from ever being hashed as a
// record is, whose first byte is the length of an id.
func dedupHash(m *model.DedupRecord) uint64 {
	var buffer [128]byte
	return xxhash.Sum64(wire.AppendDedupRecord(buffer[:1], m))
}
