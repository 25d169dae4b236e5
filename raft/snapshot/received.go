package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"versiond/model"
	"versiond/raft/datadir"
)

// Backup is a whole backup in a file of the node's data directory, found to be undamaged. One
// goroutine may use it.
type Backup struct {
	Header BackupHeader
	// Records is how many records it holds, Highest the highest revision of a record, a dedup record or a change.
	Records, Highest uint64
	// Changes is set when it says from where on changes are kept.
	Changes bool
	// Sum is the CRC-32C of the records, of the same reading that proved the whole file, and Size how many bytes they
	// have in the form of a snapshot.
	Sum  uint32
	Size int64

	file       *os.File
	snapshotAt int64 // where the records begin
}

// Receive writes a backup to a file in folder and checks every byte of it; the caller closes it. A
// *model.ValidationError that names the body says what is wrong with it; where reading body failed,
// its error is in the chain. A *model.StoreError says why the folder does not take it.
func Receive(ctx context.Context, folder string, body io.Reader) (*Backup, error) {
	file, err := os.CreateTemp(folder, datadir.ScratchPattern)
	if err != nil {
		return nil, notKept(folder, err)
	}
	b := &Backup{file: file}
	if err := b.receive(ctx, body); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Close removes the file.
func (b *Backup) Close() error {
	return errors.Join(b.file.Close(), os.Remove(b.file.Name()))
}

// Whole returns the backup as it was received, and its length.
func (b *Backup) Whole() (io.Reader, int64) {
	size := b.snapshotAt + b.Size + backupChecksumLen
	return io.NewSectionReader(b.file, 0, size), size
}

func (b *Backup) receive(ctx context.Context, body io.Reader) error {
	source := &failingReader{Reader: body}
	size, err := io.Copy(b.file, source)
	switch {
	case source.err != nil:
		return damagedBackup(fmt.Errorf("could not be read to its end: %w", source.err))
	case err != nil:
		return notKept(filepath.Dir(b.file.Name()), err)
	}
	return b.check(ctx, size)
}

// failingReader remembers that it was reading that failed, and not writing.
type failingReader struct {
	io.Reader
	err error
}

func (r *failingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// check reads the file twice: for the checksum, and for what is in it.
func (b *Backup) check(ctx context.Context, size int64) error {
	header, length, err := readBackupHeader(io.NewSectionReader(b.file, 0, size))
	if errSum := b.checkSum(length, size-backupChecksumLen); errSum != nil {
		return damagedBackup(errSum) // which explains what is wrong with the header, too
	}
	if err != nil {
		return damagedBackup(err)
	}
	b.Header, b.snapshotAt, b.Size = header, length, size-backupChecksumLen-length
	err = b.checkRecords(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return damagedBackup(err)
}

// checkSum reads the file up to the checksum at its end, and sums the records behind the header by themselves.
func (b *Backup) checkSum(header, at int64) error {
	if at < header {
		return fmt.Errorf("%w: it is shorter than its checksum", model.ErrCorrupt)
	}
	sum, records := sha256.New(), crc32.New(Castagnoli)
	_, errHeader := io.Copy(sum, io.NewSectionReader(b.file, 0, header))
	_, errRecords := io.Copy(io.MultiWriter(sum, records), io.NewSectionReader(b.file, header, at-header))
	if err := errors.Join(errHeader, errRecords); err != nil {
		return err
	}
	b.Sum = records.Sum32()
	want := make([]byte, backupChecksumLen)
	if _, err := b.file.ReadAt(want, at); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return fmt.Errorf("%w: its checksum differs", model.ErrCorrupt)
	}
	return nil
}

// checkRecords makes sure that every record is one that this release could have written.
func (b *Backup) checkRecords(ctx context.Context) error {
	reader, err := NewReader(io.NopCloser(b.Snapshot()))
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // it was only read
	if err := b.checkDedupRecords(ctx, reader); err != nil {
		return err
	}
	if err := b.checkChanges(ctx, reader); err != nil {
		return err
	}
	for last := ""; ctx.Err() == nil; {
		v, err := reader.NextRecord()
		if IsEnd(err) {
			return nil
		}
		if err == nil {
			err = model.ValidateRecord(model.VersionDB(v))
		}
		if err == nil && (v.ID <= last || v.Revision == 0) {
			err = fmt.Errorf("%w: record %d is out of order or has no revision", model.ErrCorrupt, b.Records)
		}
		if err != nil {
			return err
		}
		last, b.Highest = v.ID, max(b.Highest, v.Revision)
		b.Records++
	}
	return ctx.Err()
}

func (b *Backup) checkDedupRecords(ctx context.Context, reader *Reader) error {
	for last := uint64(0); ctx.Err() == nil; {
		m, err := reader.NextDedupRecord()
		if IsEnd(err) {
			return nil
		}
		if err == nil && m.Revision <= last {
			err = fmt.Errorf("%w: what is remembered is out of order", model.ErrCorrupt)
		}
		if err != nil {
			return err
		}
		last, b.Highest = m.Revision, max(b.Highest, m.Revision)
	}
	return ctx.Err()
}

func (b *Backup) checkChanges(ctx context.Context, reader *Reader) error {
	from, err := reader.ChangesFrom()
	b.Changes, b.Highest = from > 0, max(b.Highest, from)
	last := uint64(0)
	for count := 0; err == nil && ctx.Err() == nil; count++ {
		var c model.Change
		c, err = reader.NextChange()
		if IsEnd(err) {
			return nil
		}
		if count == model.ChangesMax {
			return fmt.Errorf("%w: it has more than %d changes", model.ErrCorrupt, model.ChangesMax)
		}
		if err == nil {
			err = c.Validate()
		}
		if err == nil && c.Revision <= last {
			err = fmt.Errorf("%w: its changes are out of order", model.ErrCorrupt)
		}
		last, b.Highest = c.Revision, max(b.Highest, c.Revision)
	}
	return errors.Join(err, ctx.Err())
}

// Snapshot returns the records, in the form of a snapshot.
func (b *Backup) Snapshot() *io.SectionReader {
	return io.NewSectionReader(b.file, b.snapshotAt, b.Size)
}

// notKept words an error of the disk for whoever can make room.
func notKept(folder string, err error) error {
	why := err
	var path *os.PathError
	if errors.As(err, &path) {
		why = path.Err // the name of the file says nothing
	}
	return &model.StoreError{Detail: fmt.Sprintf("the backup cannot be kept in the node's data directory, %s, while it is checked: %v; make room there for a file as large as the backup", folder, why), Cause: err}
}

// damagedBackup words an error for the client who sent the body.
func damagedBackup(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%w)", model.Invalid("body", "is not a whole and undamaged backup: "+err.Error()), err)
}
