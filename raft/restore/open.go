// Package restore puts a backup in the place of all records through the log: the leader proposes an entry that begins
// it, its parts, and one that commits it, with which every node loads it from its own log.
package restore

import (
	"fmt"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// lapses is after how many entries without a step of it a restore that has begun counts no more: its leader
// is gone. Like all that follows from the log it is the same on every node.
const lapses = 10000

// Open is a restore of which the log holds a part. It follows from the log alone: it begins with an entry,
// its parts are counted and summed as they are applied, and it ends with an entry that commits it or gives it
// up, with another that begins, or after lapses entries without a step of it. Nothing of it is stored,
// because no snapshot is taken while it is open: a node that starts reads it back from its log.
type Open struct {
	model.RestoreStep        // the one that began it
	begin             uint64 // the index of that
	last              uint64 // of its newest step
	chunks            []uint64
	bytes             uint64
	sum               uint32
}

// At returns the restore that is open at an index, nil when it is over by then.
func (o *Open) At(index uint64) *Open {
	if o == nil || index > o.last+lapses {
		return nil
	}
	return o
}

// After returns the restore that is open after a step at an index.
func (o *Open) After(index uint64, step *model.RestoreStep) *Open {
	if step.Type == model.CommandRestoreBegin {
		return &Open{RestoreStep: *step, begin: index, last: index}
	}
	if o = o.At(index); o == nil || o.begin != step.Begin {
		return o
	}
	if step.Type != model.CommandRestoreChunk {
		return nil
	}
	o.last, o.chunks = index, append(o.chunks, index)
	o.bytes, o.sum = o.bytes+uint64(len(step.Data)), crc32.Update(o.sum, snapshot.Castagnoli, step.Data)
	return o
}

// Whole reports whether a commit at index is of this restore, and everything of it is there.
func (o *Open) Whole(index uint64, commit *model.RestoreStep) bool {
	o = o.At(index)
	return o != nil && o.begin == commit.Begin && o.bytes == o.Bytes && o.sum == o.Checksum &&
		(!o.Foreign || int64(len(o.chunks)) >= entriesFor(o.Records))
}

// Source returns the records of a backup; it has to be closed.
type Source interface {
	snapshot.Source
	Close() error
}

// Load hands the records, as they are to be stored, to whom they replace all others. With them come, unless they are
// foreign, the changes that the backup has, which are history alone: after changesFrom there are none yet. None come where
// that is 0.
func (o *Open) Load(logs raft.LogStore, changesFrom uint64, replaceAll func(Source) error) error {
	chunks := &chunkReader{logs: logs, left: o.chunks}
	source, err := o.source(chunks, changesFrom)
	if err == nil {
		err = replaceAll(source)
	}
	if chunks.err != nil {
		return chunks.err // rather than that what it gave has no end
	}
	return err
}

// chunkReader reads the parts of a restore from the log, one after the other.
type chunkReader struct {
	logs raft.LogStore
	left []uint64 // the indexes of those that were not read
	rest []byte   // of the one that is being read
	err  error
}

// Read reads on.
func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if len(r.left) == 0 {
			return 0, io.EOF
		}
		if r.err = r.next(); r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *chunkReader) next() error {
	log, err := raftlog.ReadEntry(r.logs, r.left[0])
	if err != nil {
		return err
	}
	step, err := wire.DecodeRestoreStep(log.Data)
	if err != nil {
		return raftlog.UnreadableEntry(log.Index, err)
	}
	r.rest, r.left = step.Data, r.left[1:]
	return nil
}

// source returns the records of a restore as they are to be stored.
func (o *Open) source(chunks io.Reader, changesFrom uint64) (Source, error) {
	reader, err := snapshot.NewReader(io.NopCloser(chunks))
	if err != nil {
		return nil, err
	}
	own := &ownRecords{Reader: reader, changesFrom: changesFrom}
	if !o.Foreign {
		return own, nil
	}
	return &foreignRecords{ownRecords: own, chunks: o.chunks}, nil
}

// ownRecords are those of a backup of this cluster.
type ownRecords struct {
	*snapshot.Reader
	changesFrom uint64
}

// ChangesFrom returns what the restore makes it, whatever it was in the backup.
func (o *ownRecords) ChangesFrom() (uint64, error) { return o.changesFrom, nil }

// NextChange returns none where no changes are kept.
func (o *ownRecords) NextChange() (model.Change, error) {
	if o.changesFrom == 0 {
		return model.Change{}, io.EOF
	}
	return o.Reader.NextChange()
}

// foreignRecords returns records with revisions that this cluster has never given to anything: those of the entries that
// held them.
type foreignRecords struct {
	*ownRecords
	chunks []uint64
	given  int
}

// NextDedupRecord returns none. What is remembered under a key has revisions too, which mean nothing here, and most
// of them are of records that are no more.
func (f *foreignRecords) NextDedupRecord() (model.DedupRecord, error) {
	return model.DedupRecord{}, io.EOF
}

// NextChange returns none, for the same reason.
func (f *foreignRecords) NextChange() (model.Change, error) { return model.Change{}, io.EOF }

// NextRecord returns the next record.
func (f *foreignRecords) NextRecord() (model.Version, error) {
	v, err := f.Reader.NextRecord()
	if err != nil {
		return v, err
	}
	chunk := f.given / model.CommandsPerEntryMax
	if chunk >= len(f.chunks) {
		return v, fmt.Errorf("%w: the backup holds more records than it says", model.ErrCorrupt)
	}
	v.Revision = model.Revision(f.chunks[chunk], f.given%model.CommandsPerEntryMax)
	f.given++
	return v, nil
}
