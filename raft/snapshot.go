package raft

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"

	"github.com/hashicorp/raft"
	"github.com/klauspost/compress/zstd"

	"versiond/model"
	"versiond/wire"
)

// A snapshot is the magic, then, compressed, a flag byte and a record for each row in the byte order
// of the ids, and at the end the other flag byte, the count and a CRC-32C of all before it. Index and
// term are not in it: they are Raft's to give (a restored backup gets new ones). A backup that was put
// into Raft has a magic of its own, because such a snapshot, unlike all others, may exist on a node
// without being committed.
const (
	snapshotMagic    = "versiond snapshot 1\n"
	restoredMagic    = "versiond restored 1\n" // of the same length
	snapshotRecord   = 1
	snapshotEnd      = 0
	snapshotPageSize = 1000
	// snapshotWindow is how far back the compression looks, in bytes; it keeps four times that in memory.
	snapshotWindow = 512 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// versionSnapshot is one snapshot in the making; hashicorp/raft calls Persist beside further applies.
type versionSnapshot struct {
	request  *viewRequest
	observer Observer
}

// Persist waits for the view and streams it. It holds one page of records at a time.
func (s *versionSnapshot) Persist(sink raft.SnapshotSink) error {
	began, counted := time.Now(), &countedSink{SnapshotSink: sink}
	err := s.persist(counted)
	s.observer.SnapshotPersisted(counted.bytes, time.Since(began), err)
	return err
}

// countedSink knows how much was written to it.
type countedSink struct {
	raft.SnapshotSink
	bytes int64
}

func (s *countedSink) Write(p []byte) (int, error) {
	n, err := s.SnapshotSink.Write(p)
	s.bytes += int64(n)
	return n, err
}

func (s *versionSnapshot) persist(sink raft.SnapshotSink) error {
	ctx := context.Background()
	view, err := s.request.wait(ctx)
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	err = writeSnapshot(ctx, sink, &pacedView{View: view})
	if err = errors.Join(err, view.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the snapshot: %w", err), sink.Cancel())
	}
	return sink.Close()
}

// Release gives up a view that Persist never came for.
func (s *versionSnapshot) Release() { s.request.settle(nil, errViewLate) }

func writeSnapshot(ctx context.Context, w io.Writer, view View) error {
	if _, err := io.WriteString(w, snapshotMagic); err != nil {
		return err
	}
	compressed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(snapshotWindow))
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	count, err := writeRecords(ctx, io.MultiWriter(compressed, sum), view)
	if err != nil {
		return errors.Join(err, compressed.Close())
	}
	end := binary.AppendUvarint([]byte{snapshotEnd}, count)
	_, err = compressed.Write(binary.BigEndian.AppendUint32(end, sum.Sum32()))
	return errors.Join(err, compressed.Close())
}

func writeRecords(ctx context.Context, w io.Writer, view View) (count uint64, err error) {
	var buffer []byte
	for after := ""; ; {
		page, err := view.Page(ctx, after, snapshotPageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		buffer = buffer[:0]
		for i := range page {
			buffer = wire.AppendRecord(append(buffer, snapshotRecord), &page[i])
		}
		if _, err := w.Write(buffer); err != nil {
			return count, err
		}
		count += uint64(len(page))
		after = page[len(page)-1].ID
	}
}

// snapshotReader gives back the records of a snapshot, one by one and in flat memory.
type snapshotReader struct {
	stream  io.Closer
	decoder *zstd.Decoder
	records *bufio.Reader
	sum     hash.Hash32
	count   uint64
	scratch []byte
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
	if _, err := isRestored(stream); err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(stream, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	return &snapshotReader{stream: stream, decoder: decoder, records: bufio.NewReader(decoder), sum: crc32.New(castagnoli)}, nil
}

// isRestored reads the magic and says whether it is that of a restored backup.
func isRestored(stream io.Reader) (bool, error) {
	magic := make([]byte, len(snapshotMagic))
	if _, err := io.ReadFull(stream, magic); err != nil || string(magic) != snapshotMagic && string(magic) != restoredMagic {
		return false, fmt.Errorf("%w: it does not begin as a snapshot of this release does", model.ErrCorrupt)
	}
	return string(magic) == restoredMagic, nil
}

// next gives the next record, io.EOF after the last one of an undamaged snapshot, and otherwise an
// error that matches model.ErrCorrupt.
func (r *snapshotReader) next() (model.Version, error) {
	flag, err := r.records.ReadByte()
	if err != nil {
		return model.Version{}, fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	if flag == snapshotEnd {
		return model.Version{}, r.checkEnd()
	}
	v, err := wire.ReadRecord(r.records)
	if err != nil || flag != snapshotRecord {
		return model.Version{}, fmt.Errorf("%w: record %d of the snapshot: %w", model.ErrCorrupt, r.count, err)
	}
	r.count++
	r.scratch = wire.AppendRecord(append(r.scratch[:0], flag), &v)
	_, err = r.sum.Write(r.scratch)
	return v, err
}

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
