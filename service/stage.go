package service

import "versiond/model"

// change is what becomes of one id: a new row, or none.
type change struct {
	model.Version
	hash    uint64 // of the new row
	deleted bool
	updated bool // rather than created
}

// stage collects what one group of entries changes, the newest for each id. It belongs to the applier.
type stage struct {
	changes map[string]change
	order   []string // ids by their first appearance, so that statements come out alike everywhere
	// sum is the checksum of all records with what is staged.
	sum contentSum
}

func newStage() *stage { return &stage{changes: map[string]change{}} }

func (s *stage) put(c change) {
	if _, seen := s.changes[c.ID]; !seen {
		s.order = append(s.order, c.ID)
	}
	s.changes[c.ID] = c
}

// rows gives what is staged as one upsert and one delete.
func (s *stage) rows() (upserts []model.Version, deletes []string) {
	for _, id := range s.order {
		if c := s.changes[id]; c.deleted {
			deletes = append(deletes, id)
		} else {
			upserts = append(upserts, c.Version)
		}
	}
	return upserts, deletes
}

// take gives what is staged and forgets it.
func (s *stage) take() []change {
	changes := make([]change, len(s.order))
	for i, id := range s.order {
		changes[i] = s.changes[id]
	}
	clear(s.changes)
	s.order = s.order[:0]
	return changes
}
