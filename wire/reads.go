package wire

import (
	"encoding/binary"
	"fmt"

	"versiond/model"
)

// ReadsMax is the most ids that one request of a follower may ask for.
const ReadsMax = 1000

// AppendReads appends the byte form of the ids that a follower asks the leader for: version, count, ids.
func AppendReads(dst []byte, ids []string) []byte {
	dst = binary.AppendUvarint(append(dst, formVersion), uint64(len(ids)))
	for _, id := range ids {
		dst = appendText(dst, id)
	}
	return dst
}

// DecodeReads reads what AppendReads wrote. Every error matches model.ErrCorrupt.
func DecodeReads(data []byte) ([]string, error) {
	r := reader{rest: data}
	r.version("reads")
	ids := make([]string, r.count(ReadsMax))
	for i := range ids {
		ids[i] = r.text()
	}
	return ids, r.end()
}

// AppendFound appends the byte form of what reads found, in their order, and of the applied index that
// all of it reflects: version, index, count, and of each row 0, or 1 and the record.
func AppendFound(dst []byte, index uint64, found []model.Found) []byte {
	dst = binary.AppendUvarint(append(dst, formVersion), index)
	dst = binary.AppendUvarint(dst, uint64(len(found)))
	for i := range found {
		if !found[i].Exists {
			dst = append(dst, 0)
			continue
		}
		dst = AppendRecord(append(dst, 1), &found[i].Version)
	}
	return dst
}

// DecodeFound reads what AppendFound wrote. Every error matches model.ErrCorrupt.
func DecodeFound(data []byte) (index uint64, found []model.Found, err error) {
	r := reader{rest: data}
	r.version("rows")
	index = r.uvarint()
	found = make([]model.Found, r.count(ReadsMax))
	for i := range found {
		switch flag := r.byte(); flag {
		case 0:
		case 1:
			v := model.Version{ID: r.text(), VersionNo: r.text(), Platform: r.text(), Revision: r.uvarint()}
			found[i] = model.Found{Version: v, Exists: true}
		default:
			r.fail("unknown flag %d of a row", flag)
		}
	}
	return index, found, r.end()
}

func (r *reader) version(what string) {
	if version := r.byte(); r.err == nil && version != formVersion {
		r.err = fmt.Errorf("%w: %s of format %d, this release reads %d", model.ErrCorrupt, what, version, formVersion)
		r.rest = nil
	}
}
