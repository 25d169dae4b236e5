package wire

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"versiond/model"
)

// packedBytesMax bounds the packed outcomes of a unit: each takes at most a number of one byte and a
// revision.
const packedBytesMax = model.UnitCommandsMax * (1 + binary.MaxVarintLen64)

// requestForm is the first byte of what is hashed of a request. A release that writes another form would
// take a retry for another request.
const requestForm = 1

// NewIdempotency makes the name of a request: of the client's key and of what unit asks for. batch tells
// a batch of one item from a single write, whose answers differ.
func NewIdempotency(key string, unit *model.Unit, batch bool) *model.Idempotency {
	form := []byte{requestForm, 0}
	if batch {
		form[1] = 1
	}
	asked := model.Unit{Commands: unit.Commands, Atomic: unit.Atomic}
	keySum, requestSum := sha256.Sum256([]byte(key)), sha256.Sum256(appendUnit(form, &asked))
	return &model.Idempotency{Key: [16]byte(keySum[:16]), Request: [16]byte(requestSum[:16])}
}

// PackOutcomes returns the shortest form of a unit's outcomes, in which they are remembered: numbers that
// each hold a code and how often it follows itself, with the revisions that stood in the way. What was
// done has the revision of its position, which the dedup record knows.
func PackOutcomes(outcomes []model.Outcome) string {
	var dst []byte
	for i := 0; i < len(outcomes); {
		run, told := runOf(outcomes[i:]), uint64(0)
		if revisionIsTold(outcomes[i]) {
			told = 1
		}
		dst = binary.AppendUvarint(dst, uint64(run)<<4|told<<3|uint64(outcomes[i].Code))
		if told == 1 {
			dst = binary.AppendUvarint(dst, outcomes[i].Revision)
		}
		i += run
	}
	return string(dst)
}

// runOf returns how many of the outcomes, from the first on, can be told as one.
func runOf(outcomes []model.Outcome) int {
	n := 1
	for !revisionIsTold(outcomes[0]) && n < len(outcomes) && outcomes[n].Code == outcomes[0].Code && !revisionIsTold(outcomes[n]) {
		n++
	}
	return n
}

// revisionIsTold reports whether an outcome has a revision that does not follow from its position.
func revisionIsTold(o model.Outcome) bool { return o.Code != model.OutcomeDone && o.Revision != 0 }

// UnpackOutcomes returns the outcomes of a dedup record. Every error matches model.ErrCorrupt.
func UnpackOutcomes(m *model.DedupRecord) ([]model.Outcome, error) {
	r := reader{rest: []byte(m.Outcomes)}
	var outcomes []model.Outcome
	for len(r.rest) > 0 {
		o, run := r.run(model.UnitCommandsMax - len(outcomes))
		for range run {
			if o.Code == model.OutcomeDone {
				o.Revision = m.Revision + uint64(len(outcomes))
			}
			outcomes = append(outcomes, o)
		}
	}
	if len(outcomes) == 0 {
		r.fail("no remembered outcome")
	}
	return outcomes, r.err
}

// run reads an outcome and how often it follows itself, runMax at most.
func (r *reader) run(runMax int) (o model.Outcome, run int) {
	head := r.uvarint()
	o.Code = model.OutcomeCode(head & 7)
	if o.Code < model.OutcomeDone || o.Code > model.OutcomeNotDone {
		r.fail("unknown remembered outcome %d", o.Code)
	}
	if head>>3&1 == 1 {
		o.Revision = r.uvarint()
	}
	if n := head >> 4; n == 0 || n > uint64(runMax) {
		r.fail("%d remembered outcomes more, of at most %d", n, runMax)
		return o, 0
	}
	return o, int(head >> 4)
}

// AppendDedupRecord appends the byte form of one dedup record, as snapshots hold it.
func AppendDedupRecord(dst []byte, m *model.DedupRecord) []byte {
	dst = append(append(dst, m.Key[:]...), m.Request[:]...)
	dst = binary.AppendUvarint(dst, m.Revision)
	return appendText(dst, m.Outcomes)
}

// ReadDedupRecord reads what AppendDedupRecord wrote. Bytes that break the format match model.ErrCorrupt.
func ReadDedupRecord(r *bufio.Reader) (m model.DedupRecord, err error) {
	for _, hash := range []*[16]byte{&m.Key, &m.Request} {
		if _, err = io.ReadFull(r, hash[:]); err != nil {
			return m, corrupt(err)
		}
	}
	if m.Revision, err = binary.ReadUvarint(r); err != nil {
		return m, corrupt(err)
	}
	if m.Outcomes, err = readTextUpTo(r, packedBytesMax); err != nil {
		return m, err
	}
	if _, err = UnpackOutcomes(&m); err != nil {
		return m, fmt.Errorf("a dedup record: %w", err)
	}
	return m, nil
}
