package raft

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"

	"versiond/model"
)

const (
	// stretchSegmentBytes is how much one file of the log holds by default. It is allocated in advance, so it is
	// small enough for three nodes on a laptop; any batch fits in addition.
	stretchSegmentBytes = 16 << 20
	// removedSuffix marks a stretch that is gone and may be removed in part.
	removedSuffix = ".removed"
)

// errLogClosed says that the end of the log could not be opened anew yet after a write that failed. It is
// no damage: whoever reads may try again.
var errLogClosed = errors.New("the Raft log could not be opened again yet")

// stretch is one write-ahead log.
type stretch struct {
	*wal.WAL
	meta   *metadb.BoltMetaDB
	first  uint64 // that it began with, as its folder is named
	path   string
	failed bool // a write has failed since it was opened
}

func (s *stretch) open(log hclog.Logger, segmentBytes int) error {
	if err := checkTail(s.path); err != nil {
		return fmt.Errorf("open %s: %w", s.path, err)
	}
	meta := &metadb.BoltMetaDB{}
	opened, err := wal.Open(s.path, wal.WithMetaStore(meta), wal.WithLogger(log), wal.WithSegmentSize(segmentBytes))
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", s.path, damaged(err)), meta.Close())
	}
	s.WAL, s.meta, s.failed = opened, meta, false
	return nil
}

// GetLog reads an entry. Raft-wal alone still finds some in front of the first one.
func (s *stretch) GetLog(index uint64, log *raft.Log) error {
	first, err := s.FirstIndex()
	switch {
	case err == nil && index < first:
		return raft.ErrLogNotFound
	case err == nil:
		err = s.WAL.GetLog(index, log)
	}
	if errors.Is(err, wal.ErrClosed) {
		return errLogClosed
	}
	return err
}

// Close closes the files, also the one that raft-wal leaves open and locked.
func (s *stretch) Close() error { return errors.Join(s.WAL.Close(), s.meta.Close()) }

// damaged says of an error that is not the disk's own, such as that a file is missing or is not what it
// must be, that the log is damaged.
func damaged(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && errno != syscall.ENOENT {
		return err
	}
	return fmt.Errorf("%w: %w", model.ErrCorrupt, err)
}

// note keeps in mind that a write failed.
func (s *stretch) note(err error) { s.failed = s.failed || err != nil }

// remove takes the stretch away as a whole: one that was removed in part could not be opened. After an
// error it is called again.
func (s *stretch) remove() error {
	if err := s.Close(); err != nil {
		return err
	}
	if !strings.HasSuffix(s.path, removedSuffix) {
		gone := s.path + removedSuffix
		if err := errors.Join(os.RemoveAll(gone), os.Rename(s.path, gone)); err != nil {
			return err
		}
		s.path = gone
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return err
	}
	return os.RemoveAll(s.path)
}
