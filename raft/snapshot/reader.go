package snapshot

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"versiond/model"
	"versiond/wire"
)

// Reader returns what a snapshot holds, one by one and in flat memory. It is a Source.
type Reader struct {
	stream  io.Closer
	decoder *zstd.Decoder
	entries *bufio.Reader
	sum     hash.Hash32
	count   uint64 // of dedup records, changes and records
	rows    uint64 // of records
	scratch []byte
	part    part
	from    uint64 // the revision after which all changes are kept
}

// part is how far a snapshot is read: nothing comes after what follows it.
type part int

const (
	inDedupRecords part = iota
	inChanges
	inRecords
)

// NewReader begins to read a snapshot.
func NewReader(stream io.ReadCloser) (*Reader, error) {
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(stream, begin); err != nil {
		return nil, model.AsDamage(err)
	}
	if string(begin) != magic {
		return nil, fmt.Errorf("%w: it does not begin as a snapshot of this release does", model.ErrCorrupt)
	}
	decoder, err := zstd.NewReader(stream, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &Reader{stream: stream, decoder: decoder, entries: bufio.NewReader(decoder), sum: crc32.New(Castagnoli)}, nil
}

// NextDedupRecord returns the next dedup record, io.EOF when only the rest is left, and otherwise an error that
// matches model.ErrCorrupt.
func (r *Reader) NextDedupRecord() (m model.DedupRecord, err error) {
	if err := r.expect(flagDedupRecord); err != nil {
		return m, err
	}
	if m, err = wire.ReadDedupRecord(r.entries); err != nil {
		return m, r.corrupt(err)
	}
	r.count++
	return m, r.add(wire.AppendDedupRecord(append(r.scratch[:0], flagDedupRecord), &m))
}

// ChangesFrom returns the revision after which all changes are kept, 0 when none are, and otherwise an error that matches
// model.ErrCorrupt. Dedup records that were not asked for are passed over.
func (r *Reader) ChangesFrom() (uint64, error) {
	if r.part > inDedupRecords {
		return r.from, nil
	}
	if err := skip(r.NextDedupRecord); err != nil {
		return 0, err
	}
	r.part = inChanges
	if err := r.expect(flagChangesFrom); IsEnd(err) {
		r.part = inRecords
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	from, err := binary.ReadUvarint(r.entries)
	if err == nil && from == 0 {
		err = errors.New("changes are kept after no revision")
	}
	if err != nil {
		return 0, r.corrupt(err)
	}
	r.from = from
	return from, r.add(binary.AppendUvarint(append(r.scratch[:0], flagChangesFrom), from))
}

// NextChange returns the next change, io.EOF when only records are left, and otherwise an error that matches
// model.ErrCorrupt. What comes before and was not asked for is passed over.
func (r *Reader) NextChange() (c model.Change, err error) {
	if _, err := r.ChangesFrom(); err != nil {
		return c, err
	}
	if r.part > inChanges {
		return c, io.EOF
	}
	if err := r.expect(flagChange); err != nil {
		return c, err
	}
	if c, err = wire.ReadChange(r.entries); err != nil {
		return c, r.corrupt(err)
	}
	r.count++
	return c, r.add(wire.AppendChange(append(r.scratch[:0], flagChange), &c))
}

// NextRecord returns the next record, io.EOF after the last one of an undamaged snapshot, and otherwise an
// error that matches model.ErrCorrupt. What comes before and was not asked for is passed over.
func (r *Reader) NextRecord() (model.Version, error) {
	if r.part < inRecords {
		if err := skip(r.NextChange); err != nil {
			return model.Version{}, err
		}
		r.part = inRecords
	}
	flag, err := r.entries.ReadByte()
	if err != nil {
		return model.Version{}, model.AsDamage(err)
	}
	if flag == flagEnd {
		return model.Version{}, r.checkEnd()
	}
	if flag != flagRecord && flag != flagDetailed {
		return model.Version{}, fmt.Errorf("%w: entry %d of the snapshot begins with %#x", model.ErrCorrupt, r.count, flag)
	}
	v, err := wire.ReadRecord(r.entries, flag == flagDetailed)
	if err != nil {
		return model.Version{}, r.corrupt(err)
	}
	r.count++
	r.rows++
	return v, r.add(wire.AppendRecord(append(r.scratch[:0], flag), &v))
}

// expect takes the flag byte of the next entry if it is this one, and returns io.EOF if not.
func (r *Reader) expect(flag byte) error {
	next, err := r.entries.Peek(1)
	switch {
	case err != nil:
		return model.AsDamage(err)
	case next[0] != flag:
		return io.EOF
	}
	_, _ = r.entries.Discard(1) // it was there to be seen
	return nil
}

// add counts the bytes of an entry in the checksum.
func (r *Reader) add(entry []byte) error {
	r.scratch = entry
	_, err := r.sum.Write(entry)
	return err
}

func (r *Reader) corrupt(err error) error {
	return fmt.Errorf("entry %d of the snapshot: %w", r.count, model.AsDamage(err))
}

// skip reads on until io.EOF.
func skip[T any](next func() (T, error)) error {
	for {
		if _, err := next(); IsEnd(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// IsEnd reports whether an error is the end of a snapshot, rather than that it is cut off.
func IsEnd(err error) bool { return errors.Is(err, io.EOF) && !errors.Is(err, model.ErrCorrupt) }

func (r *Reader) checkEnd() error {
	count, err := binary.ReadUvarint(r.entries)
	if err != nil {
		return model.AsDamage(err)
	}
	var sum [4]byte
	if _, err := io.ReadFull(r.entries, sum[:]); err != nil {
		return model.AsDamage(err)
	}
	if count != r.count || binary.BigEndian.Uint32(sum[:]) != r.sum.Sum32() {
		return fmt.Errorf("%w: count or checksum of the snapshot differ", model.ErrCorrupt)
	}
	return io.EOF
}

// Rows returns how many records were read.
func (r *Reader) Rows() uint64 { return r.rows }

// Close closes the stream, too.
func (r *Reader) Close() error {
	r.decoder.Close()
	return r.stream.Close()
}
