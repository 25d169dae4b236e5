package cluster

import (
	"fmt"
	"sync"
	"time"

	"versiond/model"
)

// state is what a record may be: absent when Record is nil.
type state struct {
	record *model.VersionDB
	// newer marks a state that an unanswered write may have made: its revision is above the record's.
	newer bool
}

// history is what one client, the only one that writes to an id, knows of it.
type history struct {
	acknowledged state
	// possible is set when the last write was not answered: it may have been done or not. Nobody
	// writes to the id after that, since a write that is still on its way could overtake.
	possible *state
}

// Ledger is what the clients of a Load were told, from which follows what must be there afterwards.
type Ledger struct {
	// Acknowledged, Unknown and Refused count the writes that were done, may have been done, and were
	// not done because the cluster could not at the moment.
	Acknowledged, Unknown, Refused int
	// LongestGap is the longest time in which no write was acknowledged.
	LongestGap time.Duration

	last       time.Time // when the last write was acknowledged
	mu         sync.Mutex
	histories  map[string]*history
	violations []string
}

func newLedger() *Ledger { return &Ledger{histories: map[string]*history{}} }

// note files a write that succeeded.
func (l *Ledger) note(id string, after *model.VersionDB) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Acknowledged++
	now := time.Now()
	if !l.last.IsZero() {
		l.LongestGap = max(l.LongestGap, now.Sub(l.last))
	}
	l.last = now
	l.histories[id] = &history{acknowledged: state{record: after}}
}

// noteUnknown files a write that was not answered.
func (l *Ledger) noteUnknown(id string, after *model.VersionDB) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Unknown++
	h := l.histories[id]
	if h == nil {
		h = &history{}
		l.histories[id] = h
	}
	h.possible = &state{record: after, newer: true}
}

func (l *Ledger) noteRefused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Refused++
}

// violate files an answer that cannot be right, whatever happened to unanswered writes.
func (l *Ledger) violate(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, fmt.Sprintf(format, args...))
}

func (l *Ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Acknowledged
}

// Violations lists what is wrong: answers that cannot be right, acknowledged writes that the rows
// lack, rows that nobody wrote, and revisions that show a write was done twice.
func (l *Ledger) Violations(rows []model.Version) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := append([]string(nil), l.violations...)
	there := byID(rows)
	for id, h := range l.histories {
		row, exists := there[id]
		if why := h.contradicts(row, exists); why != "" {
			found = append(found, fmt.Sprintf("%q: %s", id, why))
		}
	}
	for id, row := range there {
		if l.histories[id] == nil {
			found = append(found, fmt.Sprintf("%q: nobody wrote %+v", id, row))
		}
	}
	return found
}

// contradicts says how a row is none of the states that it may be in.
func (h *history) contradicts(row model.Version, exists bool) string {
	if h.acknowledged.matches(row, exists, 0) || h.possible != nil && h.possible.matches(row, exists, h.revision()) {
		return ""
	}
	return fmt.Sprintf("acknowledged %s, unanswered %s, found %+v (there: %t)", &h.acknowledged, h.possible, row, exists)
}

func (h *history) revision() uint64 {
	if h.acknowledged.record == nil {
		return 0
	}
	return h.acknowledged.record.Revision
}

// matches compares a row with a state; that of an unanswered write has any revision above.
func (s state) matches(row model.Version, exists bool, above uint64) bool {
	if s.record == nil || !exists {
		return (s.record == nil) == !exists
	}
	want := *s.record
	if s.newer && row.Revision > above {
		want.Revision = row.Revision
	}
	return want == recordOf(row)
}

func (s *state) String() string {
	switch {
	case s == nil:
		return "nothing"
	case s.record == nil:
		return "absence"
	}
	return fmt.Sprintf("%+v", *s.record)
}
