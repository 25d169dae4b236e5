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
