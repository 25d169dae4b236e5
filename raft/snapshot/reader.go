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
	records *bufio.Reader
	sum     hash.Hash32
	count   uint64 // of dedup records and records
	rows    uint64 // of records
	scratch []byte
	// recordsOnly is set once the dedup records are passed.
	recordsOnly bool
}

// NewReader begins to read a snapshot.
func NewReader(stream io.ReadCloser) (*Reader, error) {
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(stream, begin); err != nil || string(begin) != magic {
		return nil, fmt.Errorf("%w: it does not begin as a snapshot of this release does", model.ErrCorrupt)
	}
	decoder, err := zstd.NewReader(stream, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &Reader{stream: stream, decoder: decoder, records: bufio.NewReader(decoder), sum: crc32.New(Castagnoli)}, nil
}

// NextDedupRecord returns the next dedup record, io.EOF when only records are left, and otherwise an error that
// matches model.ErrCorrupt.
func (r *Reader) NextDedupRecord() (m model.DedupRecord, err error) {
	flag, err := r.records.Peek(1)
	if err != nil {
		return m, fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	if flag[0] != flagDedupRecord {
		return m, io.EOF
	}
	_, _ = r.records.Discard(1) // it was there to be seen
	if m, err = wire.ReadDedupRecord(r.records); err != nil {
		return m, fmt.Errorf("%w: entry %d of the snapshot: %w", model.ErrCorrupt, r.count, err)
	}
	r.count++
	r.scratch = wire.AppendDedupRecord(append(r.scratch[:0], flagDedupRecord), &m)
	_, err = r.sum.Write(r.scratch)
	return m, err
}

// NextRecord returns the next record, io.EOF after the last one of an undamaged snapshot, and otherwise an
// error that matches model.ErrCorrupt. Dedup records that were not asked for are passed over.
func (r *Reader) NextRecord() (model.Version, error) {
	if err := r.skipDedupRecords(); err != nil {
		return model.Version{}, err
	}
	flag, err := r.records.ReadByte()
	if err != nil {
		return model.Version{}, fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	if flag == flagEnd {
		return model.Version{}, r.checkEnd()
	}
	if flag != flagRecord && flag != flagDetailed {
		return model.Version{}, fmt.Errorf("%w: entry %d of the snapshot begins with %#x", model.ErrCorrupt, r.count, flag)
	}
	v, err := wire.ReadRecord(r.records, flag == flagDetailed)
	if err != nil {
		return model.Version{}, fmt.Errorf("%w: entry %d of the snapshot: %w", model.ErrCorrupt, r.count, err)
	}
	r.recordsOnly = true
	r.count++
	r.rows++
	r.scratch = wire.AppendRecord(append(r.scratch[:0], flag), &v)
	_, err = r.sum.Write(r.scratch)
	return v, err
}

// skipDedupRecords reads on to the first record. After that a dedup record is out of place.
func (r *Reader) skipDedupRecords() error {
	for !r.recordsOnly {
		if _, err := r.NextDedupRecord(); IsEnd(err) {
			r.recordsOnly = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// IsEnd reports whether an error is the end of a snapshot, rather than that it is cut off.
func IsEnd(err error) bool { return errors.Is(err, io.EOF) && !errors.Is(err, model.ErrCorrupt) }

func (r *Reader) checkEnd() error {
	count, err := binary.ReadUvarint(r.records)
	if err != nil {
		return fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	var sum [4]byte
	if _, err := io.ReadFull(r.records, sum[:]); err != nil {
		return fmt.Errorf("%w: %w", model.ErrCorrupt, err)
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
