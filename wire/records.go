package wire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"versiond/model"
)

// AppendRecord appends the byte form of one row, as snapshots hold it.
func AppendRecord(dst []byte, v *model.Version) []byte {
	dst = appendText(dst, v.ID)
	dst = appendText(dst, v.VersionNo)
	dst = appendText(dst, v.Platform)
	return binary.AppendUvarint(dst, v.Revision)
}

// ReadRecord reads what AppendRecord wrote. Bytes that break the format match model.ErrCorrupt.
func ReadRecord(r *bufio.Reader) (v model.Version, err error) {
	for _, field := range []*string{&v.ID, &v.VersionNo, &v.Platform} {
		if *field, err = readText(r); err != nil {
			return v, err
		}
	}
	v.Revision, err = binary.ReadUvarint(r)
	return v, corrupt(err)
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
