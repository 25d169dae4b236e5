package state

import (
	"slices"

	"versiond/model"
)

// Change is what becomes of one id: a new row, or none.
type Change struct {
	model.Version
	hash    uint64 // of the new row
	Deleted bool
	Updated bool // rather than created
}

// changeOf returns a change as it is kept, of a record that had this platform, or empty.
func changeOf(c *Change, platform string, origin *model.Origin) model.Change {
	change := model.Change{Revision: c.Revision, Op: model.ChangeCreate, ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Details: c.Details}
	switch {
	case c.Deleted:
		change.Op = model.ChangeDelete
	case c.Updated:
		change.Op = model.ChangeUpdate
		if platform != c.Platform {
			change.WasPlatform = platform
		}
	}
	if origin != nil {
		change.At, change.By = origin.At, origin.By
	}
	return change
}

func (c *Change) mark() Mark { return Mark{c.Revision, c.hash, c.Details != nil} }

// stage collects what one group of entries changes, the newest for each id. It belongs to the applier.
type stage struct {
	changes map[string]Change
	order   []string // ids by their first appearance, so that statements come out alike everywhere
	// sum is by how much all that is staged changes the sum, dedup records too.
	sum Sum
	// detailed is set once a row is staged that has details, or that comes in the place of one.
	detailed bool
	// undo holds, while undoing, what each change took the place of, so that it can be taken back.
	undo    []former
	undoing bool
	sumThen Sum // when undoing began
}

// former is what was staged for an id before a change; seen is false when nothing was.
type former struct {
	Change
	seen bool
}

func newStage() *stage { return &stage{changes: map[string]Change{}} }

func (s *stage) put(c Change) {
	earlier, seen := s.changes[c.ID]
	if !seen {
		s.order = append(s.order, c.ID)
	}
	if s.undoing {
		earlier.ID = c.ID
		s.undo = append(s.undo, former{earlier, seen})
	}
	s.changes[c.ID] = c
}

// begin lets end take back what is put from now on.
func (s *stage) begin() { s.undo, s.undoing, s.sumThen = s.undo[:0], true, s.sum }

// end leaves what was put since begin, or takes it back, the newest first.
func (s *stage) end(keep bool) {
	if !keep {
		for _, f := range slices.Backward(s.undo) {
			s.takeBack(f)
		}
		s.sum = s.sumThen
	}
	s.undo, s.undoing = s.undo[:0], false
}

func (s *stage) takeBack(f former) {
	if f.seen {
		s.changes[f.ID] = f.Change
		return
	}
	delete(s.changes, f.ID)
	s.order = s.order[:len(s.order)-1] // new ids were appended in the order of undo
}

// rows returns what is staged as one upsert and one delete.
func (s *stage) rows() (upserts []model.Version, deletes []string) {
	for _, id := range s.order {
		if c := s.changes[id]; c.Deleted {
			deletes = append(deletes, id)
		} else {
			upserts = append(upserts, c.Version)
		}
	}
	return upserts, deletes
}

// take returns what is staged and forgets it.
func (s *stage) take() []Change {
	changes := make([]Change, len(s.order))
	for i, id := range s.order {
		changes[i] = s.changes[id]
	}
	clear(s.changes)
	s.order, s.sum, s.detailed = s.order[:0], Sum{}, false
	return changes
}
