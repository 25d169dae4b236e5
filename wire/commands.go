package wire

import (
	"encoding/binary"
	"fmt"

	"versiond/model"
)

// commandsVersion is the first byte of every group of commands.
const commandsVersion = 1

// fieldBytesMax bounds one text field; the longest valid one is a versionNo of 64 four-byte characters.
const fieldBytesMax = 1024

// AppendCommands appends the byte form of commands to dst. The commands must be valid and at most
// model.CommandsPerEntryMax: it is the caller's grouping that keeps the bound.
func AppendCommands(dst []byte, commands []model.Command) []byte {
	dst = append(dst, commandsVersion)
	dst = binary.AppendUvarint(dst, uint64(len(commands)))
	for i := range commands {
		dst = appendCommand(dst, &commands[i])
	}
	return dst
}

func appendCommand(dst []byte, c *model.Command) []byte {
	dst = append(dst, byte(c.Type))
	dst = appendText(dst, c.ID)
	dst = appendText(dst, c.VersionNo)
	dst = appendText(dst, c.Platform)
	return binary.AppendUvarint(dst, c.IfRevision)
}

// CommandBytes bounds from above what AppendCommands adds for one command.
func CommandBytes(c *model.Command) int {
	return 1 + len(c.ID) + len(c.VersionNo) + len(c.Platform) + 3*2 + binary.MaxVarintLen64
}

// DecodeCommands reads what AppendCommands wrote. Every error matches model.ErrCorrupt: another
// version, an unknown command type, a count or length out of bounds, missing or left-over bytes.
func DecodeCommands(data []byte) ([]model.Command, error) {
	r := reader{rest: data}
	if v := r.byte(); r.err == nil && v != commandsVersion {
		return nil, fmt.Errorf("%w: commands of format %d, this release reads %d", model.ErrCorrupt, v, commandsVersion)
	}
	n := r.count(model.CommandsPerEntryMax)
	if r.err != nil {
		return nil, r.err
	}
	commands := make([]model.Command, n)
	for i := range commands {
		r.command(&commands[i])
	}
	return commands, r.end()
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
