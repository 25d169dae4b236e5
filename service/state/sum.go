package state

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"versiond/model"
	"versiond/wire"
)

// Sum is a running checksum of records, dedup records and changes: the number of the records, and the sum of all
// hashes, which does not depend on the order in which they come and go. Two sets of records that differ by accident
// have the same sum once in 2^64 times; it is no defence against somebody who seeks such a pair.
type Sum struct {
	records int
	hashes  uint64
	from    uint64 // as SetChangesFrom has it
}

// Add counts a row, and returns its mark.
func (s *Sum) Add(v *model.Version) Mark {
	m := MarkOf(v)
	s.records++
	s.hashes += m.hash
	return m
}

func (s *Sum) remove(m Mark) {
	s.records--
	s.hashes -= m.hash
}

// AddDedup counts a dedup record.
func (s *Sum) AddDedup(d *model.DedupRecord)    { s.hashes += dedupHash(d) }
func (s *Sum) removeDedup(d *model.DedupRecord) { s.hashes -= dedupHash(d) }

// AddChange counts a change, and returns its hash.
func (s *Sum) AddChange(c *model.Change) uint64 {
	var buffer [512]byte
	buffer[0] = changeMark
	hash := xxhash.Sum64(wire.AppendChange(buffer[:1], c))
	s.hashes += hash
	return hash
}

// SetChangesFrom has the revision after which every change is kept summed too, unless it is 0.
func (s *Sum) SetChangesFrom(revision uint64) { s.from = revision }

// Checksum returns the sum in the form in which it is stored, and compared between nodes.
func (s Sum) Checksum() model.Checksum {
	hashes := s.hashes
	if s.from != 0 {
		hashes += xxhash.Sum64(binary.BigEndian.AppendUint64([]byte{changesFromMark}, s.from))
	}
	return model.NewChecksum(s.records, hashes)
}

// The byte in front of what is hashed keeps what is no record from ever being hashed as one, whose first byte is the length
// of an id.
const (
	dedupMark       = 0
	changeMark      = 0xff
	changesFromMark = 0xfe
)

// Mark is what a node knows of the current row of an id without reading it.
type Mark struct {
	Revision uint64
	hash     uint64
	// Detailed reports whether the row has details.
	Detailed bool
}

// MarkOf returns the mark of a row. It hashes every field, in the form in which snapshots hold it: no two rows have the
// same bytes there. The hash is the same on every node and in every release of one model.Checksum form.
func MarkOf(v *model.Version) Mark {
	var buffer [512]byte
	return Mark{Revision: v.Revision, hash: xxhash.Sum64(wire.AppendRecord(buffer[:0], v)), Detailed: v.Details != nil}
}

// Contradicts reports whether the two are of different rows of which only one can have been applied: a
// revision belongs to one write.
func (m Mark) Contradicts(other Mark) bool {
	return m.Revision == other.Revision && m.hash != other.hash
}

func dedupHash(d *model.DedupRecord) uint64 {
	var buffer [128]byte
	buffer[0] = dedupMark
	return xxhash.Sum64(wire.AppendDedupRecord(buffer[:1], d))
}
