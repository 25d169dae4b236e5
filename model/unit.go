package model

// UnitCommandsMax bounds the commands of one unit, which is what one request may ask for.
const UnitCommandsMax = 1000

// Unit is what one request wants written: one command or several. It stays together on its way through
// the log, in one entry, so that its commands follow each other on every node with nothing in between.
type Unit struct {
	// Commands are decided in this order; each sees what those before it did.
	Commands []Command
	// Atomic units change nothing unless all of their commands can be done.
	Atomic bool
	// Idempotency, when not nil, has the outcome remembered, and an outcome that is remembered given
	// again in place of doing anything.
	Idempotency *Idempotency
	// Origin, when not nil, is kept with what the unit changes.
	Origin *Origin
}

// StripOrigins takes the origins out of units, for a reader that does not know them.
func StripOrigins(units []Unit) {
	for i := range units {
		units[i].Origin = nil
	}
}

// UnitOutcome is the decision on one unit: one outcome for each command, in their order.
type UnitOutcome struct {
	Outcomes []Outcome
	// Replayed is set when the outcome is that of an earlier request with the same key.
	Replayed bool
}

// UnitResult is the decision on a unit as an answer carries it, with the applied index that the answer
// reflects.
type UnitResult struct {
	UnitOutcome
	Index uint64
	// Wrong is why commands cannot be done, by their places; nothing was done then, whatever their outcomes are.
	Wrong map[int]error
}

// Single makes a unit of one command.
func Single(c Command) Unit { return Unit{Commands: []Command{c}} }

// CountCommands returns how many commands the units have together.
func CountCommands(units []Unit) int {
	n := 0
	for i := range units {
		n += len(units[i].Commands)
	}
	return n
}

// Refused returns the position of the command that stood in the way of an atomic unit; ok is false when
// everything was done.
func (o UnitOutcome) Refused() (position int, ok bool) {
	for i, each := range o.Outcomes {
		if each.Code != OutcomeDone && each.Code != OutcomeNotDone {
			return i, true
		}
	}
	return 0, false
}

// Idempotency names a request that may be sent more than once and must be done once. It holds hashes of
// a fixed size, so that what is remembered does not grow with what clients choose.
type Idempotency struct {
	// Key is the hash of the key that the client chose.
	Key [16]byte
	// Request is the hash of what the client asked for: the same key on another request is refused.
	Request [16]byte
}

// DedupRecord is what every node remembers of a unit with a key, so that it can be answered again without
// being done again. It is part of the replicated state.
type DedupRecord struct {
	Idempotency
	// Revision is what the unit's first command makes, or would have made. It is unique, and puts
	// dedup records in the order of the log.
	Revision uint64
	// Outcomes are the unit's, in the form of package wire.
	Outcomes string
}

// WriteOptions set how a single write is to be done.
type WriteOptions struct {
	// IfRevision, when not 0, makes an update or a delete depend on the record's current revision.
	IfRevision uint64
	// DetailNames are the details that an update sets or clears; it leaves the others as they are.
	DetailNames DetailSet
	// Newer makes an update depend on its version to come after the record's.
	Newer bool
	// Key, when not empty, is the client's idempotency key.
	Key string
	// Origin is where the write comes from; nil where nobody asks.
	Origin *Origin
}

// IndexOf returns the log index of the entry that made a revision.
func IndexOf(revision uint64) uint64 { return revision / CommandsPerEntryMax }

// Result is a record as an answer carries it, with the applied index that the answer reflects. On
// a domain error (ErrAlreadyExists, ErrNotFound, ErrRevisionMismatch) Index is set as well, and
// Record.Revision is the revision that stood in the way where there is one.
type Result struct {
	Record VersionDB
	Index  uint64
	// Replayed is set when the answer is that of an earlier request with the same idempotency key.
	Replayed bool
}
