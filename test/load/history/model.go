// Package history records what clients did to a cluster and what they were answered, and checks that
// it could have been one record store that did one thing at a time.
package history

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"versiond/model"
)

// Kind is what an operation does.
type Kind string

// The kinds of operations.
const (
	Add    Kind = "add"
	Update Kind = "update"
	Delete Kind = "delete"
	Read   Kind = "read"
)

// Input is one operation on one record. VersionNo is unique among all writes, so that a read tells
// whose write it saw.
type Input struct {
	Kind       Kind
	Key        string
	VersionNo  string
	IfRevision uint64
	Level      model.Level // of a read
}

// Output is what was answered. Unknown means that a write may have happened or not, Refused that it
// was promised that it has not.
type Output struct {
	Unknown   bool
	Refused   bool
	Index     uint64 // what the answer was labelled with
	Outcome   model.OutcomeCode
	VersionNo string // of a read that found the record
	// Revision is that of the record that was written, read, or stood in the way; 0 when not told.
	Revision uint64
}

// state is one record. Its revision is 0 while nobody has been told it, after a write whose answer
// was lost.
type state struct {
	exists    bool
	versionNo string
	revision  uint64
}

// recordModel returns what one store that does one thing at a time may answer. It is nondeterministic
// because a write of unknown outcome that depends on an unknown revision may do either.
func recordModel() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{}} },
		Step: func(s, input, output any) []any {
			var next []any
			for _, each := range step(s.(state), input.(Input), output.(Output)) {
				next = append(next, each)
			}
			return next
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
	return m.ToModel()
}

// step returns the states that an operation with this answer may lead to, none when it cannot be.
func step(s state, in Input, out Output) []state {
	if in.Kind == Read {
		return stepRead(s, out)
	}
	var next []state
	for _, possible := range write(s, in) {
		if out.Unknown || possible.matches(out) {
			if possible.outcome == model.OutcomeDone && !out.Unknown && in.Kind != Delete {
				possible.next.revision = out.Revision
			}
			next = append(next, possible.next)
		}
	}
	return next
}

func stepRead(s state, out Output) []state {
	switch {
	case out.Unknown:
		return []state{s}
	case out.Outcome == model.OutcomeNotFound && !s.exists:
		return []state{s}
	case out.Outcome == model.OutcomeDone && s.exists && out.VersionNo == s.versionNo && (s.revision == 0 || s.revision == out.Revision):
		s.revision = out.Revision
		return []state{s}
	}
	return nil
}

// possibility is one way in which a write may turn out.
type possibility struct {
	outcome  model.OutcomeCode
	revision uint64 // of the record that stood in the way; 0 when it is not known
	next     state
}

func (p possibility) matches(out Output) bool {
	if p.outcome != out.Outcome {
		return false
	}
	stoodInTheWay := p.outcome == model.OutcomeAlreadyExists || p.outcome == model.OutcomeRevisionMismatch
	return !stoodInTheWay || p.revision == 0 || out.Revision == 0 || p.revision == out.Revision
}

func write(s state, in Input) []possibility {
	done := possibility{outcome: model.OutcomeDone, next: state{exists: in.Kind != Delete}}
	if in.Kind != Delete {
		done.next.versionNo = in.VersionNo
	}
	switch {
	case in.Kind == Add && s.exists:
		return []possibility{{outcome: model.OutcomeAlreadyExists, revision: s.revision, next: s}}
	case in.Kind == Add:
		return []possibility{done}
	case !s.exists:
		return []possibility{{outcome: model.OutcomeNotFound, next: s}}
	}
	mismatch := possibility{outcome: model.OutcomeRevisionMismatch, revision: s.revision, next: s}
	switch {
	case in.IfRevision == 0 || in.IfRevision == s.revision:
		return []possibility{done}
	case s.revision == 0:
		return []possibility{done, mismatch}
	}
	return []possibility{mismatch}
}
