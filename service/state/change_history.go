package state

import (
	"math"

	"versiond/model"
)

// history returns the marks of up to limit changes of an id with revisions below before, or of the newest where that is 0,
// the newest first, and that of the oldest of all; none where there are none.
func (l *changeLog) history(id string, before uint64, limit int) (marks []ChangeMark, oldest ChangeMark) {
	if before == 0 {
		before = math.MaxUint64
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	of := l.ofID[l.hash(id)]
	for number := of.newest; number != 0 && len(marks) < limit; number = l.places[number].beforeOfID {
		if p := &l.places[number]; p.revision < before && p.revision <= l.newest {
			marks = append(marks, ChangeMark{p.revision, p.hash})
		}
	}
	if p := &l.places[of.oldest]; p.revision <= l.newest {
		oldest = ChangeMark{p.revision, p.hash}
	}
	return marks, oldest
}

// ChangeMark is what a node knows of a change without reading it.
type ChangeMark struct{ Revision, hash uint64 }

// IsOf reports whether a change is the one that was applied.
func (m ChangeMark) IsOf(c *model.Change) bool {
	return m.Revision == c.Revision && m.hash == new(Sum).AddChange(c)
}
