package raft

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"
	"github.com/klauspost/compress/zstd"

	"versiond/model"
	"versiond/wire"
)

// snapshotReader gives back what a snapshot holds, one by one and in flat memory. It is a Source.
type snapshotReader struct {
	stream  io.Closer
	decoder *zstd.Decoder
	records *bufio.Reader
	sum     hash.Hash32
	count   uint64 // of memories and records
	rows    uint64 // of records
	scratch []byte
	// recordsOnly is set once the memories are passed.
	recordsOnly bool
}

// openSnapshot opens a snapshot of the store, which checks the file's own checksum first.
func openSnapshot(snapshots raft.SnapshotStore, id string) (*snapshotReader, error) {
	_, stream, err := snapshots.Open(id)
	if err != nil {
		return nil, fmt.Errorf("open snapshot %s: %w", id, err)
	}
	reader, err := newSnapshotReader(stream)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot %s: %w", id, err), stream.Close())
	}
	return reader, nil
}

func newSnapshotReader(stream io.ReadCloser) (*snapshotReader, error) {
	magic := make([]byte, len(snapshotMagic))
	if _, err := io.ReadFull(stream, magic); err != nil || string(magic) != snapshotMagic {
		return nil, fmt.Errorf("%w: it does not begin as a snapshot of this release does", model.ErrCorrupt)
	}
	decoder, err := zstd.NewReader(stream, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &snapshotReader{stream: stream, decoder: decoder, records: bufio.NewReader(decoder), sum: crc32.New(castagnoli)}, nil
}

// NextMemory gives the next memory, io.EOF when only records are left, and otherwise an error that
// matches model.ErrCorrupt.
func (r *snapshotReader) NextMemory() (m model.Memory, err error) {
	flag, err := r.records.Peek(1)
	if err != nil {
		return m, fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	if flag[0] != snapshotMemory {
		return m, io.EOF
	}
	_, _ = r.records.Discard(1) // it was there to be seen
	if m, err = wire.ReadMemory(r.records); err != nil {
		return m, fmt.Errorf("%w: entry %d of the snapshot: %w", model.ErrCorrupt, r.count, err)
	}
	r.count++
	r.scratch = wire.AppendMemory(append(r.scratch[:0], snapshotMemory), &m)
	_, err = r.sum.Write(r.scratch)
	return m, err
}

// NextRecord gives the next record, io.EOF after the last one of an undamaged snapshot, and otherwise an
// error that matches model.ErrCorrupt. Memories that were not asked for are passed over.
func (r *snapshotReader) NextRecord() (model.Version, error) {
	if err := r.skipMemories(); err != nil {
		return model.Version{}, err
	}
	flag, err := r.records.ReadByte()
	if err != nil {
		return model.Version{}, fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	if flag == snapshotEnd {
		return model.Version{}, r.checkEnd()
	}
	if flag != snapshotRecord {
		return model.Version{}, fmt.Errorf("%w: entry %d of the snapshot begins with %#x", model.ErrCorrupt, r.count, flag)
	}
	v, err := wire.ReadRecord(r.records)
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

// skipMemories reads on to the first record. After that a memory is out of place.
func (r *snapshotReader) skipMemories() error {
	for !r.recordsOnly {
		if _, err := r.NextMemory(); isEnd(err) {
			r.recordsOnly = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// isEnd tells the end of a snapshot from one that is cut off.
func isEnd(err error) bool { return errors.Is(err, io.EOF) && !errors.Is(err, model.ErrCorrupt) }

func (r *snapshotReader) checkEnd() error {
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

func (r *snapshotReader) close() error {
	r.decoder.Close()
	return r.stream.Close()
}
