package wire

import (
	"encoding/binary"

	"versiond/model"
)

const (
	flagReplayed = 1
	// flagDetailed is set beside the code of an outcome that has details.
	flagDetailed = 0x80
)

// AppendOutcomes appends the byte form of the outcomes of one group and of the applied index that
// they reflect: version, index, count of outcomes, count of units, and of each unit flags, count, outcomes.
func AppendOutcomes(dst []byte, index uint64, units []model.UnitOutcome) []byte {
	total := 0
	for _, u := range units {
		total += len(u.Outcomes)
	}
	dst = binary.AppendUvarint(append(dst, formVersion), index)
	dst = binary.AppendUvarint(dst, uint64(total))
	dst = binary.AppendUvarint(dst, uint64(len(units)))
	for _, u := range units {
		dst = appendOutcomes(appendUnitHead(dst, u), u.Outcomes)
	}
	return dst
}

func appendUnitHead(dst []byte, u model.UnitOutcome) []byte {
	flags := byte(0)
	if u.Replayed {
		flags |= flagReplayed
	}
	return binary.AppendUvarint(append(dst, flags), uint64(len(u.Outcomes)))
}

func appendOutcomes(dst []byte, outcomes []model.Outcome) []byte {
	for _, o := range outcomes {
		if o.Details == nil {
			dst = binary.AppendUvarint(append(dst, byte(o.Code)), o.Revision)
			continue
		}
		dst = binary.AppendUvarint(append(dst, byte(o.Code)|flagDetailed), o.Revision)
		dst = appendDetails(dst, o.Details)
	}
	return dst
}

// DecodeOutcomes reads what AppendOutcomes wrote. Every error matches model.ErrCorrupt.
func DecodeOutcomes(data []byte) (index uint64, units []model.UnitOutcome, err error) {
	r := reader{rest: data}
	r.version("outcomes")
	index = r.uvarint()
	outcomes := make([]model.Outcome, r.count(model.CommandsPerEntryMax))
	units = make([]model.UnitOutcome, r.count(uint64(len(outcomes))))
	for i := range units {
		units[i].Replayed = r.replayed()
		n := r.countFromOne(uint64(len(outcomes)))
		units[i].Outcomes, outcomes = r.outcomes(outcomes[:n:n]), outcomes[n:]
	}
	if len(outcomes) > 0 {
		r.fail("%d outcomes belong to no unit", len(outcomes))
	}
	return index, units, r.end()
}

func (r *reader) replayed() bool {
	flags := r.byte()
	if flags&^flagReplayed != 0 {
		r.fail("unknown flags %d of outcomes", flags)
	}
	return flags&flagReplayed != 0
}

func (r *reader) outcomes(into []model.Outcome) []model.Outcome {
	for i := range into {
		into[i] = r.outcome()
	}
	return into
}

func (r *reader) outcome() model.Outcome {
	head := r.byte()
	code := model.OutcomeCode(head &^ flagDetailed)
	if code < model.OutcomeDone || code > model.OutcomeKeyReused {
		r.fail("unknown outcome %d", code)
	}
	o := model.Outcome{Code: code, Revision: r.uvarint()}
	if head&flagDetailed != 0 {
		o.Details = r.details()
	}
	return o
}
