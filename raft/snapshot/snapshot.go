// Package snapshot is the form of snapshots and backups: it writes them from a view of the records, and reads and checks them.
package snapshot

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"versiond/model"
	"versiond/wire"
)

// A snapshot is the magic and then, compressed, each with its flag byte before it:
//
//   - a dedup record for each unit that is remembered, in the order of the log;
//   - if changes are kept, the revision after which all are, and each change, in the order of the log;
//   - a record for each row, in the byte order of the ids; its flag says whether it has details;
//   - the end: the count of all three, and a CRC-32C of all before it.
//
// Index and term are not in it: they are Raft's to give.
const (
	magic           = "versiond snapshot 1\n"
	flagEnd         = 0
	flagRecord      = 1
	flagDedupRecord = 2 // older releases know none, and refuse a snapshot that has one
	flagDetailed    = 3 // a record with details; likewise
	flagChangesFrom = 4 // the revision after which all changes are kept; likewise
	flagChange      = 5 // likewise
	// PageSize is how many records, dedup records or changes are read at once.
	PageSize = 1000
	// window is how far back the compression looks, in bytes; it keeps four times that in memory.
	window = 512 << 10
)

// Castagnoli is the polynomial of every CRC here and in the log.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Source returns the contents of a snapshot: first its dedup records, in their order, until io.EOF, then the revision after
// which all changes are kept, 0 for none, then its changes, and then its records.
type Source interface {
	NextDedupRecord() (model.DedupRecord, error)
	ChangesFrom() (uint64, error)
	NextChange() (model.Change, error)
	NextRecord() (model.Version, error)
}

// View is a consistent view of all records, dedup records and changes. It may be read on another goroutine than the applier's.
type View interface {
	// Page returns up to limit records with ids above after, in the byte order of their ids. A view that
	// the service opened and that is read from its first record on returns model.ErrStoreDiffers in place
	// of the empty page after its last one, when its records are not those that the log makes.
	Page(ctx context.Context, after string, limit int) ([]model.Version, error)
	// DedupRecords returns up to limit dedup records with revisions above after, in their order.
	DedupRecords(ctx context.Context, after uint64, limit int) ([]model.DedupRecord, error)
	// ChangesFrom returns the revision after which all changes are kept, 0 while none are.
	ChangesFrom() uint64
	// ChangesAfter returns up to limit changes with revisions above revision, in their order.
	ChangesAfter(ctx context.Context, revision uint64, limit int) ([]model.Change, error)
	Close() error
}

// StoreView is a View of a store.
type StoreView interface {
	View
	// State returns the state row as of the view's moment.
	State() model.StoreState
}

// Write writes all that view shows. It holds one page of it at a time.
func Write(ctx context.Context, w io.Writer, view View) error {
	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	compressed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return err
	}
	sum := crc32.New(Castagnoli)
	summed := io.MultiWriter(compressed, sum)
	var count uint64
	for _, write := range []func(context.Context, io.Writer, View) (uint64, error){writeDedupRecords, writeChanges, writeRecords} {
		n, err := write(ctx, summed, view)
		if err != nil {
			return errors.Join(err, compressed.Close())
		}
		count += n
	}
	end := binary.AppendUvarint([]byte{flagEnd}, count)
	_, err = compressed.Write(binary.BigEndian.AppendUint32(end, sum.Sum32()))
	return errors.Join(err, compressed.Close())
}

func writeDedupRecords(ctx context.Context, w io.Writer, view View) (count uint64, err error) {
	var buffer []byte
	for after := uint64(0); ; {
		page, err := view.DedupRecords(ctx, after, PageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		buffer = buffer[:0]
		for i := range page {
			buffer = wire.AppendDedupRecord(append(buffer, flagDedupRecord), &page[i])
		}
		if _, err := w.Write(buffer); err != nil {
			return count, err
		}
		count += uint64(len(page))
		after = page[len(page)-1].Revision
	}
}

// writeChanges writes nothing while no changes are kept.
func writeChanges(ctx context.Context, w io.Writer, view View) (count uint64, err error) {
	if view.ChangesFrom() == 0 {
		return 0, nil
	}
	buffer := binary.AppendUvarint([]byte{flagChangesFrom}, view.ChangesFrom())
	for after := uint64(0); ; {
		page, err := view.ChangesAfter(ctx, after, PageSize)
		if err != nil {
			return count, err
		}
		for i := range page {
			buffer = wire.AppendChange(append(buffer, flagChange), &page[i])
		}
		if _, err := w.Write(buffer); err != nil || len(page) == 0 {
			return count, err
		}
		buffer = buffer[:0]
		count += uint64(len(page))
		after = page[len(page)-1].Revision
	}
}

func writeRecords(ctx context.Context, w io.Writer, view View) (count uint64, err error) {
	var buffer []byte
	for after := ""; ; {
		page, err := view.Page(ctx, after, PageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		buffer = buffer[:0]
		for i := range page {
			buffer = wire.AppendRecord(append(buffer, flagOf(&page[i])), &page[i])
		}
		if _, err := w.Write(buffer); err != nil {
			return count, err
		}
		count += uint64(len(page))
		after = page[len(page)-1].ID
	}
}

func flagOf(v *model.Version) byte {
	if v.Details != nil {
		return flagDetailed
	}
	return flagRecord
}
