package wire

import (
	"encoding/binary"
	"math"

	"versiond/model"
)

// restoreVersion is the first byte of an entry that is a step of a restore; the second one is its type.
// Releases that know of none stop at it.
const restoreVersion = 3

const flagForeign = 1

// AppendRestoreStep appends the byte form of a step to dst.
func AppendRestoreStep(dst []byte, s *model.RestoreStep) []byte {
	dst = append(dst, restoreVersion, byte(s.Type))
	if s.Type == model.CommandRestoreBegin {
		flags := byte(0)
		if s.Foreign {
			flags = flagForeign
		}
		dst = binary.AppendUvarint(dst, s.Records)
		dst = binary.AppendUvarint(dst, s.Bytes)
		return append(binary.BigEndian.AppendUint32(dst, s.Checksum), flags)
	}
	dst = binary.AppendUvarint(dst, s.Begin)
	if s.Type == model.CommandRestoreChunk {
		dst = binary.AppendUvarint(dst, uint64(len(s.Data)))
		dst = append(dst, s.Data...)
	}
	return dst
}

// IsRestoreStep reports whether an entry is a step of a restore, and of what type.
func IsRestoreStep(data []byte) (model.CommandType, bool) {
	if len(data) < 2 || data[0] != restoreVersion {
		return 0, false
	}
	return model.CommandType(data[1]), true
}

// DecodeRestoreStep reads what AppendRestoreStep wrote; Data is a part of data. Every error matches
// model.ErrCorrupt.
func DecodeRestoreStep(data []byte) (s model.RestoreStep, err error) {
	r := reader{rest: data}
	if v := r.byte(); v != restoreVersion {
		r.fail("a step of a restore in format %d, this release reads %d", v, restoreVersion)
	}
	switch s.Type = model.CommandType(r.byte()); s.Type {
	case model.CommandRestoreBegin:
		s.Records = uint64(r.count(math.MaxInt32))
		s.Bytes = uint64(r.count(model.BackupBytesMax))
		s.Checksum = r.uint32()
		flags := r.byte()
		if flags&^flagForeign != 0 {
			r.fail("unknown flags %d of a restore", flags)
		}
		s.Foreign = flags&flagForeign != 0
	case model.CommandRestoreChunk:
		s.Begin = r.uvarint()
		s.Data = r.bytes(model.RestoreChunkBytesMax)
	case model.CommandRestoreCommit, model.CommandRestoreAbort:
		s.Begin = r.uvarint()
	default:
		r.fail("unknown type %d of a restore's step", s.Type)
	}
	return s, r.end()
}
