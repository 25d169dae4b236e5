package wire

import (
	"encoding/binary"

	"versiond/model"
)

// fieldBytesMax bounds one text field; the longest valid one is a versionNo of 64 four-byte characters.
const fieldBytesMax = 1024

// A command that names details has a type of its own, which no earlier release knows: it would drop them.
const (
	typeDetailedAdd    = 8
	typeDetailedUpdate = 9
)

func appendCommand(dst []byte, c *model.Command) []byte {
	dst = append(dst, typeOf(c))
	dst = appendText(dst, c.ID)
	dst = appendText(dst, c.VersionNo)
	dst = appendText(dst, c.Platform)
	dst = binary.AppendUvarint(dst, c.IfRevision)
	if c.DetailNames != 0 {
		dst = appendDetails(append(dst, byte(c.DetailNames)), c.Details)
	}
	return dst
}

func typeOf(c *model.Command) byte {
	switch {
	case c.DetailNames != 0 && c.Type == model.CommandAdd:
		return typeDetailedAdd
	case c.DetailNames != 0 && c.Type == model.CommandUpdate:
		return typeDetailedUpdate
	}
	return byte(c.Type)
}

// commandBytes bounds from above what appendCommand adds.
func commandBytes(c *model.Command) int {
	return 1 + len(c.ID) + len(c.VersionNo) + len(c.Platform) + 3*2 + binary.MaxVarintLen64 + 1 + detailsBytes(c.Details)
}

func (r *reader) command(c *model.Command) {
	detailed := false
	switch t := r.byte(); t {
	case byte(model.CommandAdd), byte(model.CommandUpdate), byte(model.CommandDelete):
		c.Type = model.CommandType(t)
	case typeDetailedAdd:
		c.Type, detailed = model.CommandAdd, true
	case typeDetailedUpdate:
		c.Type, detailed = model.CommandUpdate, true
	default:
		r.fail("unknown command type %d", t)
	}
	c.ID = r.text()
	c.VersionNo = r.text()
	c.Platform = r.text()
	c.IfRevision = r.uvarint()
	if detailed {
		c.DetailNames = r.detailNames(1)
		c.Details = r.details()
	}
}
