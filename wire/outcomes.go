package wire

import (
	"encoding/binary"
	"fmt"

	"versiond/model"
)

// outcomesVersion is the first byte of every answer to a group of commands.
const outcomesVersion = 1

// AppendOutcomes appends the byte form of the outcomes of one group and of the applied index that
// they reflect.
func AppendOutcomes(dst []byte, index uint64, outcomes []model.Outcome) []byte {
	dst = append(dst, outcomesVersion)
	dst = binary.AppendUvarint(dst, index)
	dst = binary.AppendUvarint(dst, uint64(len(outcomes)))
	for _, o := range outcomes {
		dst = append(dst, byte(o.Code))
		dst = binary.AppendUvarint(dst, o.Revision)
	}
	return dst
}

// DecodeOutcomes reads what AppendOutcomes wrote. Every error matches model.ErrCorrupt.
func DecodeOutcomes(data []byte) (index uint64, outcomes []model.Outcome, err error) {
	r := reader{rest: data}
	if v := r.byte(); r.err == nil && v != outcomesVersion {
		return 0, nil, fmt.Errorf("%w: outcomes of format %d, this release reads %d", model.ErrCorrupt, v, outcomesVersion)
	}
	index = r.uvarint()
	n := r.count(model.CommandsPerEntryMax)
	if r.err != nil {
		return 0, nil, r.err
	}
	outcomes = make([]model.Outcome, n)
	for i := range outcomes {
		outcomes[i] = r.outcome()
	}
	return index, outcomes, r.end()
}

func (r *reader) outcome() model.Outcome {
	code := model.OutcomeCode(r.byte())
	if code < model.OutcomeDone || code > model.OutcomeRevisionMismatch {
		r.fail("unknown outcome %d", code)
	}
	return model.Outcome{Code: code, Revision: r.uvarint()}
}
