package service

import (
	"github.com/cespare/xxhash/v2"

	"versiond/model"
	"versiond/wire"
)

// contentSum is a running checksum of records and dedup records: the number of the records, and the sum of all
// hashes, which does not depend on the order in which they come and go. Two sets of records that differ by accident
// have the same sum once in 2^64 times; it is no defence against somebody who seeks such a pair.
type contentSum struct {
	records int
	hashes  uint64
}

func (c *contentSum) add(hash uint64) {
	c.records++
	c.hashes += hash
}

func (c *contentSum) remove(hash uint64) {
	c.records--
	c.hashes -= hash
}

func (c *contentSum) addDedup(m *model.DedupRecord)    { c.hashes += dedupHash(m) }
func (c *contentSum) removeDedup(m *model.DedupRecord) { c.hashes -= dedupHash(m) }

func (c contentSum) checksum() model.Checksum { return model.NewChecksum(c.records, c.hashes) }

// rowHash hashes every field of a row, in the form in which snapshots hold it: no two rows have the
// same bytes there. It is the same on every node and in every release of one model.Checksum form.
func rowHash(v *model.Version) uint64 {
	var buffer [512]byte
	return xxhash.Sum64(wire.AppendRecord(buffer[:0], v))
}

// mark is what a node knows of the current row of an id without reading it.
type mark struct{ revision, hash uint64 }

func markOf(v *model.Version) mark { return mark{revision: v.Revision, hash: rowHash(v)} }

// contradicts reports whether the two are of different rows of which only one can have been applied: a
// revision belongs to one write.
func (m mark) contradicts(other mark) bool {
	return m.revision == other.revision && m.hash != other.hash
}
