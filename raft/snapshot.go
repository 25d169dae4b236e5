package raft

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/hashicorp/raft"
	"github.com/klauspost/compress/zstd"

	"versiond/failpoint"
	"versiond/wire"
)

// A snapshot is the magic, then, compressed, a flag byte and a memory for each unit that is remembered, in
// the order of the log, another flag byte and a record for each row in the byte order of the ids, and at
// the end the last flag byte, the count of both and a CRC-32C of all before it. Index and
// term are not in it: they are Raft's to give.
const (
	snapshotMagic    = "versiond snapshot 1\n"
	snapshotEnd      = 0
	snapshotRecord   = 1
	snapshotMemory   = 2 // older releases know none, and refuse a snapshot that has one
	snapshotPageSize = 1000
	// snapshotWindow is how far back the compression looks, in bytes; it keeps four times that in memory.
	snapshotWindow = 512 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// versionSnapshot is one snapshot in the making; hashicorp/raft calls Persist beside further applies.
type versionSnapshot struct {
	request  *viewRequest
	observer Observer
	turns    *snapshotTurns

	ctx    context.Context // ends when it is broken off
	cancel context.CancelCauseFunc
}

func newVersionSnapshot(turns *snapshotTurns, observer Observer) *versionSnapshot {
	s := &versionSnapshot{observer: observer, turns: turns}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
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
	ctx := s.ctx
	view, err := s.request.wait(ctx)
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	failpoint.Here(failpoint.SnapshotOpened)
	err = writeSnapshot(ctx, sink, &pacedView{View: view})
	if broken := context.Cause(ctx); broken != nil {
		err = broken
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the snapshot: %w", err), sink.Cancel())
	}
	failpoint.Here(failpoint.SnapshotWritten)
	if err := sink.Close(); err != nil {
		return err
	}
	return context.Cause(ctx) // what was restored meanwhile is the last snapshot, not this one
}

// Release gives up a view that Persist never came for, and ends the snapshot's turn.
func (s *versionSnapshot) Release() {
	s.request.settle(nil, errViewLate)
	s.cancel(nil)
	s.turns.end(s)
}

func writeSnapshot(ctx context.Context, w io.Writer, view View) error {
	if _, err := io.WriteString(w, snapshotMagic); err != nil {
		return err
	}
	compressed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(snapshotWindow))
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	summed := io.MultiWriter(compressed, sum)
	memories, err := writeMemories(ctx, summed, view)
	if err != nil {
		return errors.Join(err, compressed.Close())
	}
	records, err := writeRecords(ctx, summed, view)
	if err != nil {
		return errors.Join(err, compressed.Close())
	}
	end := binary.AppendUvarint([]byte{snapshotEnd}, memories+records)
	_, err = compressed.Write(binary.BigEndian.AppendUint32(end, sum.Sum32()))
	return errors.Join(err, compressed.Close())
}

func writeMemories(ctx context.Context, w io.Writer, view View) (count uint64, err error) {
	var buffer []byte
	for after := uint64(0); ; {
		page, err := view.Memories(ctx, after, snapshotPageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		buffer = buffer[:0]
		for i := range page {
			buffer = wire.AppendMemory(append(buffer, snapshotMemory), &page[i])
		}
		if _, err := w.Write(buffer); err != nil {
			return count, err
		}
		count += uint64(len(page))
		after = page[len(page)-1].Revision
	}
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
