package wire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"versiond/model"
)

// detailsBytesMax bounds the byte form of details.
const detailsBytesMax = attributesBytesMax + 8*fieldBytesMax

// AppendRecord appends the byte form of one row, as snapshots hold it. That of a row with details is longer, and which
// it is has to be told beside it.
func AppendRecord(dst []byte, v *model.Version) []byte {
	dst = appendText(dst, v.ID)
	dst = appendText(dst, v.VersionNo)
	dst = appendText(dst, v.Platform)
	dst = binary.AppendUvarint(dst, v.Revision)
	if v.Details == nil {
		return dst
	}
	var buffer [512]byte
	return appendText(dst, string(appendDetails(buffer[:0], v.Details)))
}

// ReadRecord reads what AppendRecord wrote of a row that is detailed or not. Bytes that break the format match
// model.ErrCorrupt.
func ReadRecord(r *bufio.Reader, detailed bool) (v model.Version, err error) {
	for _, field := range []*string{&v.ID, &v.VersionNo, &v.Platform} {
		if *field, err = readText(r); err != nil {
			return v, err
		}
	}
	if v.Revision, err = binary.ReadUvarint(r); err != nil || !detailed {
		return v, corrupt(err)
	}
	packed, err := readTextUpTo(r, detailsBytesMax)
	if err != nil {
		return v, err
	}
	v.Details, err = unpackDetails([]byte(packed))
	return v, err
}

// unpackDetails reads details that have to be there.
func unpackDetails(packed []byte) (*model.Details, error) {
	r := reader{rest: packed}
	d := r.details()
	if d == nil {
		r.fail("a row with details that has none")
	}
	return d, r.end()
}

func readText(r *bufio.Reader) (string, error) { return readTextUpTo(r, fieldBytesMax) }

func readTextUpTo(r *bufio.Reader, bytesMax uint64) (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", corrupt(err)
	}
	if n > bytesMax {
		return "", fmt.Errorf("%w: a text of %d bytes", model.ErrCorrupt, n)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r, text)
	return string(text), corrupt(err)
}

func corrupt(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", model.ErrCorrupt, err)
}
