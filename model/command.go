package model

// CommandsPerEntryMax bounds the commands of one log entry. It is also the factor between a log
// index and a revision, so it can never change in the life of a cluster (docs/design.md).
const CommandsPerEntryMax = 4096

// CommandType is what a command does. The numbers are part of the log format: they are only
// ever added to, never changed or used again.
type CommandType uint8

// The command types that a log entry may hold.
const (
	CommandAdd    CommandType = 1
	CommandUpdate CommandType = 2
	CommandDelete CommandType = 3

	// Those of a restore have an entry each.
	CommandRestoreBegin  CommandType = 4
	CommandRestoreChunk  CommandType = 5
	CommandRestoreCommit CommandType = 6
	CommandRestoreAbort  CommandType = 7

	// 8 and 9 are CommandAdd and CommandUpdate with details, which package wire tells apart.

	// CommandKeepChanges has an entry of its own too: from there on every node keeps what is changed.
	CommandKeepChanges CommandType = 10
)

// CommandsKnown is the highest of the numbers that this release reads. Nodes tell each other, so that none of them is sent
// what it would stop at.
const CommandsKnown = CommandKeepChanges

// Command is one write as it is proposed. IfRevision, when not zero, makes an update or a delete
// conditional on the record's current revision.
//
// Of Details it sets or clears what DetailNames names; an update leaves the others as they are.
type Command struct {
	Type        CommandType
	ID          string
	VersionNo   string
	Platform    string
	IfRevision  uint64
	Details     *Details
	DetailNames DetailSet
}

// NewCommand returns the command that writes a record. Which details it names is its caller's to add.
func NewCommand(t CommandType, record VersionDB) Command {
	return Command{Type: t, ID: record.ID, VersionNo: record.VersionNo, Platform: record.Platform, Details: record.Details}
}

// Record returns the record that a command makes, with these details and this revision.
func (c *Command) Record(details *Details, revision uint64) VersionDB {
	return VersionDB{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Details: details, Revision: revision}
}

// OutcomeCode is what the apply decided for one command. The numbers travel between nodes.
type OutcomeCode uint8

// The outcomes of a command. Only OutcomeDone changed a record.
const (
	OutcomeDone             OutcomeCode = 1
	OutcomeAlreadyExists    OutcomeCode = 2
	OutcomeNotFound         OutcomeCode = 3
	OutcomeRevisionMismatch OutcomeCode = 4
	// OutcomeNotDone is that of a command of an atomic unit in which another one was refused.
	OutcomeNotDone OutcomeCode = 5
	// OutcomeKeyReused is that of every command of a unit whose key was used for another request.
	OutcomeKeyReused OutcomeCode = 6
)

// Outcome is the decision on one command: the same on every node, because it follows from the log
// alone. Revision is the record's new revision for OutcomeDone, and the revision that the record has, 0 for
// none, where the command was refused: in an atomic unit, after what the unit did before it was taken back.
//
// Details are those that the record has then, of a create or an update that was done. Of one that was done earlier under
// the same idempotency key they are those that the request names.
type Outcome struct {
	Code     OutcomeCode
	Revision uint64
	Details  *Details
}

// Err returns the sentinel error of an outcome, nil for OutcomeDone.
func (o Outcome) Err() error {
	switch o.Code {
	case OutcomeDone:
		return nil
	case OutcomeAlreadyExists:
		return ErrAlreadyExists
	case OutcomeNotFound:
		return ErrNotFound
	case OutcomeRevisionMismatch:
		return ErrRevisionMismatch
	case OutcomeNotDone:
		return ErrNotDone
	case OutcomeKeyReused:
		return ErrIdempotencyKeyReused
	}
	return ErrInternal
}

// Revision returns the revision that the command at position (from 0) of the log entry at index makes.
func Revision(index uint64, position int) uint64 {
	return index*CommandsPerEntryMax + uint64(position)
}
