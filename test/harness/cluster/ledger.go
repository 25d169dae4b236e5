package cluster

import (
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"versiond/model"
)

// momentForm is that of the nodes' logs.
const momentForm = "15:04:05.000"

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
	// newest is the highest revision that the client was ever given for the id.
	newest uint64
	// asked is the write that was not answered.
	asked *Write
}

// Counts are what came of the requests of a Load.
type Counts struct {
	// Acknowledged, Unknown and Refused count the writes that were done, may have been done, and were
	// not done because the cluster could not at the moment.
	Acknowledged, Unknown, Refused int
	// Reads counts those that were answered, with a record or with its absence.
	Reads int
	// LongestGap is the longest time in which no write was acknowledged.
	LongestGap time.Duration
}

// Ledger is what the clients of a Load were told, from which follows what must be there afterwards.
type Ledger struct {
	Counts

	last       time.Time // when the last write was acknowledged
	mark       time.Time // from when on firstAfter counts
	firstAfter time.Duration
	failure    string    // how the last write failed that did
	failed     time.Time // and when
	gapText    string    // what there is to say of the longest gap
	mu         sync.Mutex
	histories  map[string]*history
	violations []Violation
	writes     []*Write // that TakeWrites has not given
}

func newLedger() *Ledger { return &Ledger{histories: map[string]*history{}} }

// noteAcknowledged counts a request that succeeded.
func (l *Ledger) noteAcknowledged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Acknowledged++
	if gap := l.gap(); gap > l.LongestGap {
		l.LongestGap, l.gapText = gap, l.lately()
	}
	l.last = time.Now()
	if !l.mark.IsZero() && l.firstAfter == 0 {
		l.firstAfter = time.Since(l.mark)
	}
}

// note files what a write that succeeded has made of a record, as the index reflects it. If one was not answered, it is that.
func (l *Ledger) note(id string, after *model.VersionDB, index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.history(id)
	write := before.asked
	if write == nil {
		write = before.ask(id, after)
	}
	h := &history{acknowledged: state{record: after}, newest: before.newest}
	h.newest = max(h.newest, h.revision())
	write.Acknowledge(h.revision(), index)
	l.writes = append(l.writes, write)
	l.histories[id] = h
}

// noteUnknown files a write that was not answered.
func (l *Ledger) noteUnknown(id string, after *model.VersionDB) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Unknown++
	h := l.history(id)
	h.possible = &state{record: after, newer: true}
	if h.asked == nil {
		h.asked = h.ask(id, after)
		l.writes = append(l.writes, h.asked)
	}
}

func (l *Ledger) history(id string) *history {
	if l.histories[id] == nil {
		l.histories[id] = &history{}
	}
	return l.histories[id]
}

// TakeWrites returns the writes that were acknowledged or not answered since it was called last. Those that were not answered
// may be acknowledged later, and are given again then.
func (l *Ledger) TakeWrites() []*Write {
	l.mu.Lock()
	defer l.mu.Unlock()
	writes := l.writes
	l.writes = nil
	return writes
}

// noteFailure files how a write failed, for whoever asks why none is acknowledged.
func (l *Ledger) noteFailure(node *Client, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure, l.failed = fmt.Sprintf("%s: %v", node, err), time.Now()
}

// lately returns what became of the last writes.
func (l *Ledger) lately() string {
	text := fmt.Sprintf("at %s the last write had been acknowledged %s before", time.Now().Format(momentForm), l.gap().Round(time.Millisecond))
	if !l.failed.After(l.last) {
		return text + ", and none has failed since"
	}
	return fmt.Sprintf("%s; the last that failed since did so %s before, at %s", text, time.Since(l.failed).Round(time.Millisecond), l.failure)
}

// why returns what became of the last writes, and whyGap what had in the longest gap.
func (l *Ledger) why() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lately()
}

func (l *Ledger) whyGap() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gap() > l.LongestGap {
		return l.lately()
	}
	return l.gapText
}

func (l *Ledger) noteRefused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Refused++
}

func (l *Ledger) noteRead() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Reads++
}

// gap is how long ago the last write was acknowledged; 0 before the first.
func (l *Ledger) gap() time.Duration {
	if l.last.IsZero() {
		return 0
	}
	return time.Since(l.last)
}

// now returns the counts so far; a gap that has not ended counts up to now.
func (l *Ledger) now() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := l.Counts
	counts.LongestGap = max(counts.LongestGap, l.gap())
	return counts
}

func (l *Ledger) setMark() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mark, l.firstAfter = time.Now(), 0
}

// sinceMark is how long after the mark the first write was acknowledged, 0 while none was.
func (l *Ledger) sinceMark() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.firstAfter
}

// restartGap forgets the gaps so far, as after a time in which nobody wrote.
func (l *Ledger) restartGap() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.LongestGap, l.gapText = time.Now(), 0, ""
}

// violate files an answer that cannot be right, whatever happened to unanswered writes.
func (l *Ledger) violate(kind Kind, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = append(l.violations, Violation{kind, fmt.Sprintf(format, args...)})
}

// Violations lists what is wrong: answers that cannot be right, acknowledged writes that the rows
// lack, rows that nobody wrote, and revisions that show a write was done twice.
func (l *Ledger) Violations(rows []model.Version) []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := append([]Violation(nil), l.violations...)
	there := byID(rows)
	for id, h := range l.histories {
		row, exists := there[id]
		if h.contradicts(row, exists) {
			found = append(found, Violation{h.kind(row, exists), fmt.Sprintf("%q: acknowledged %s, unanswered %s, found %+v (there: %t)", id, &h.acknowledged, h.possible, row, exists)})
		}
	}
	for id, row := range there {
		if l.histories[id] == nil {
			found = append(found, Violation{Wrong, fmt.Sprintf("%q: nobody wrote %+v", id, row)})
		}
	}
	return found
}

// contradicts reports whether a row is none of the states that it may be in.
func (h *history) contradicts(row model.Version, exists bool) bool {
	return !h.acknowledged.matches(row, exists, 0) && (h.possible == nil || !h.possible.matches(row, exists, h.revision()))
}

// kind returns what must have happened to the acknowledged write that a row contradicts.
func (h *history) kind(row model.Version, exists bool) Kind {
	if exists && row.Revision > h.newest {
		return Doubled
	}
	return Lost
}

// ask returns the write that makes after of the record.
func (h *history) ask(id string, after *model.VersionDB) *Write {
	w := &Write{ID: id, Op: model.ChangeDelete, After: h.newest, Until: math.MaxUint64}
	switch {
	case after == nil:
		return w
	case h.acknowledged.record == nil:
		w.Op = model.ChangeCreate
	default:
		w.Op = model.ChangeUpdate
	}
	w.VersionNo, w.Platform = after.VersionNo, after.Platform
	return w
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
	return reflect.DeepEqual(want, recordOf(row))
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
