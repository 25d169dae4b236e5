package wire

import (
	"bufio"
	"encoding/binary"

	"versiond/model"
)

// The first byte of a change says what it made of the record and what of the rest it has.
const (
	changeOpMask    = 1<<2 - 1
	changeWas       = 1 << 2
	changeAt        = 1 << 3
	changeBy        = 1 << 4
	changeDetailed  = 1 << 5
	changeBytesMost = detailsBytesMax + 8*fieldBytesMax
)

// changeOps have their numbers in the byte form; 0 is none.
var changeOps = [...]model.ChangeOp{1: model.ChangeCreate, 2: model.ChangeUpdate, 3: model.ChangeDelete}

// AppendChange appends the byte form of one change, as snapshots hold it and the leader sends it: its length, which fields
// it has, the revision, the id, the platform and, unless it is a delete, the version, and the others that it has.
func AppendChange(dst []byte, c *model.Change) []byte {
	var buffer [512]byte
	packed := appendChange(buffer[:0], c)
	return append(binary.AppendUvarint(dst, uint64(len(packed))), packed...)
}

func appendChange(dst []byte, c *model.Change) []byte {
	head := changeHead(c)
	dst = binary.AppendUvarint(append(dst, head), c.Revision)
	dst = appendText(appendText(dst, c.ID), c.Platform)
	if c.Op != model.ChangeDelete {
		dst = appendText(dst, c.VersionNo)
	}
	if head&changeWas != 0 {
		dst = appendText(dst, c.WasPlatform)
	}
	if head&changeAt != 0 {
		dst = binary.AppendUvarint(dst, uint64(c.At))
	}
	if head&changeBy != 0 {
		dst = appendText(dst, c.By)
	}
	if head&changeDetailed != 0 {
		dst = appendDetails(dst, c.Details)
	}
	return dst
}

func changeHead(c *model.Change) (head byte) {
	for number, op := range changeOps {
		if op == c.Op {
			head = byte(number)
		}
	}
	for _, field := range [...]struct {
		bit byte
		set bool
	}{{changeWas, c.WasPlatform != ""}, {changeAt, c.At != 0}, {changeBy, c.By != ""}, {changeDetailed, c.Details != nil}} {
		if field.set {
			head |= field.bit
		}
	}
	return head
}

// ReadChange reads what AppendChange wrote. Bytes that break the format match model.ErrCorrupt.
func ReadChange(from *bufio.Reader) (model.Change, error) {
	packed, err := readTextUpTo(from, changeBytesMost)
	if err != nil {
		return model.Change{}, err
	}
	r := reader{rest: []byte(packed)}
	c := r.packedChange()
	return c, r.end()
}

// change reads what AppendChange wrote.
func (r *reader) change() model.Change {
	packed := reader{rest: r.bytes(changeBytesMost), err: r.err}
	c := packed.packedChange()
	if err := packed.end(); r.err == nil && err != nil {
		r.err, r.rest = err, nil
	}
	return c
}

func (r *reader) packedChange() (c model.Change) {
	head := r.byte()
	if op := head & changeOpMask; op != 0 {
		c.Op = changeOps[op]
	}
	c.Revision, c.ID, c.Platform = r.uvarint(), r.text(), r.text()
	if c.Op != model.ChangeDelete {
		c.VersionNo = r.text()
	}
	if head&changeWas != 0 {
		c.WasPlatform = r.text()
	}
	if head&changeAt != 0 {
		c.At = int64(r.uvarint())
	}
	if head&changeBy != 0 {
		c.By = r.text()
	}
	if head&changeDetailed != 0 {
		c.Details = r.details()
	}
	if r.err == nil && (c.Op == "" || changeHead(&c) != head) {
		r.fail("a change that begins with %#x", head)
	}
	return c
}
