package wire

import (
	"encoding/binary"
	"fmt"

	"versiond/model"
)

// reader walks over bytes and keeps the first error, after which every read returns a zero value.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{model.ErrCorrupt}, args...)...)
		r.rest = nil
	}
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail("it ends too early")
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail("a number is cut off or too large")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) count(limit uint64) int {
	n := r.uvarint()
	if n > limit {
		r.fail("it counts %d, more than the %d allowed", n, limit)
		return 0
	}
	return int(n)
}

// countFromOne is count for what cannot be none. It returns 0 for what it refuses.
func (r *reader) countFromOne(limit uint64) int {
	n := r.count(limit)
	if r.err == nil && n == 0 {
		r.fail("it counts 0, fewer than 1")
	}
	return n
}

func (r *reader) text() string { return string(r.bytes(fieldBytesMax)) }

// bytes returns a part of what is read, which is not copied.
func (r *reader) bytes(limit uint64) []byte {
	n := r.count(limit)
	if n > len(r.rest) {
		r.fail("a text is cut off")
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint32() uint32 {
	if len(r.rest) < 4 {
		r.fail("a number is cut off")
		return 0
	}
	n := binary.BigEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	return n
}

func (r *reader) hash() (h [16]byte) {
	if len(r.rest) < len(h) {
		r.fail("a hash is cut off")
		return h
	}
	r.rest = r.rest[copy(h[:], r.rest):]
	return h
}

func (r *reader) end() error {
	if r.err == nil && len(r.rest) != 0 {
		r.fail("%d bytes are left over", len(r.rest))
	}
	return r.err
}

func appendText(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
