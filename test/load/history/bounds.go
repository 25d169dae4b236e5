package history

import (
	"fmt"

	"versiond/test/harness/cluster"
)

// What is kept of changes, as docs/adr/0019 says.
const (
	changesMax   = 200_000
	changesBlock = 1000   // go at once when there are more
	changesOfID  = 100    // beside those in the window
	window       = 10_000 // of the newest
)

// bounds are what decides which changes a table may lack.
type bounds struct {
	count              int
	floor              uint64 // after which every change is there
	oldest, windowFrom uint64
	countOf            map[string]int
	oldestOf           map[string]uint64
}

func boundsOf(table []entry, floor uint64) *bounds {
	b := &bounds{count: len(table), floor: floor, countOf: map[string]int{}, oldestOf: map[string]uint64{}}
	for _, e := range table {
		if b.countOf[e.id]++; b.countOf[e.id] == 1 {
			b.oldestOf[e.id] = e.revision
		}
	}
	if len(table) > 0 {
		b.oldest = table[0].revision
	}
	if len(table) >= window {
		b.windowFrom = table[len(table)-window].revision
	}
	return b
}

// mayLack reports whether the change of a record may have been let go of: because there are too many, or too many of the record.
func (b *bounds) mayLack(id string, revision uint64) bool {
	if revision > b.floor {
		return false
	}
	if b.count > changesMax-changesBlock-window && revision < b.oldest { // so many have been let go of beside since, at most
		return true
	}
	return b.countOf[id] >= changesOfID && revision < b.oldestOf[id] && revision < b.windowFrom
}

// excess returns what should have been let go of.
func (b *bounds) excess() (found []cluster.Violation) {
	if b.count > changesMax {
		found = append(found, violation(cluster.Wrong, "%d changes are kept", b.count))
	}
	for id, count := range b.countOf {
		if count > changesOfID && b.oldestOf[id] < b.windowFrom {
			found = append(found, violation(cluster.Wrong, "%d changes of %q are kept, from revision %d on; the newest %d begin with %d", count, id, b.oldestOf[id], window, b.windowFrom))
		}
	}
	return found
}

// of describes what is there of a record.
func (b *bounds) of(id string) string {
	return fmt.Sprintf("%d of its changes are kept, the oldest with revision %d; %d of all, from %d on, of which none is missing above %d", b.countOf[id], b.oldestOf[id], b.count, b.oldest, b.floor)
}
