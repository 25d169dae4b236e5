package wire

import (
	"encoding/binary"

	"versiond/model"
)

// fieldBytesMax bounds one text field; the longest valid one is a versionNo of 64 four-byte characters.
const fieldBytesMax = 1024

func appendCommand(dst []byte, c *model.Command) []byte {
	dst = append(dst, byte(c.Type))
	dst = appendText(dst, c.ID)
	dst = appendText(dst, c.VersionNo)
	dst = appendText(dst, c.Platform)
	return binary.AppendUvarint(dst, c.IfRevision)
}

// commandBytes bounds from above what appendCommand adds.
func commandBytes(c *model.Command) int {
	return 1 + len(c.ID) + len(c.VersionNo) + len(c.Platform) + 3*2 + binary.MaxVarintLen64
}

func (r *reader) command(c *model.Command) {
	c.Type = model.CommandType(r.byte())
	switch c.Type {
	case model.CommandAdd, model.CommandUpdate, model.CommandDelete:
	default:
		r.fail("unknown command type %d", c.Type)
	}
	c.ID = r.text()
	c.VersionNo = r.text()
	c.Platform = r.text()
	c.IfRevision = r.uvarint()
}
