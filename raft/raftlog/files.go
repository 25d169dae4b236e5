package raftlog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"versiond/model"
	"versiond/raft/contact"
	"versiond/raft/datadir"
)

// Files are those that the log, the term and the vote are in.
type Files interface {
	raft.LogStore
	raft.StableStore
	Close() error
}

// logAndVote has the log in a folder and term and vote in a file beside it.
type logAndVote struct {
	*walLog
	raft.StableStore
	file io.Closer
}

// Close closes both.
func (f *logAndVote) Close() error { return errors.Join(f.walLog.Close(), f.file.Close()) }

func openFiles(path string, o Options) (Files, error) {
	logs, err := openFolder(path, o)
	if err != nil {
		return nil, err
	}
	stable := filepath.Join(path, datadir.StableFile)
	last, err := caughtIndex(logs.LastIndex)
	if err == nil {
		err = makeBolt(stable, last)
	}
	var bolt *raftboltdb.BoltStore
	if err == nil {
		bolt, err = openBolt(stable, o.ReadOnly)
	}
	if err != nil {
		return nil, errors.Join(err, logs.Close())
	}
	return &logAndVote{walLog: logs, StableStore: bolt, file: bolt}, nil
}

// openFolder opens the log. One that is gone while term and vote are there is not made anew: the node would
// vote as if it had never acknowledged anything.
func openFolder(path string, o Options) (logs *walLog, err error) {
	folder := filepath.Join(path, datadir.LogFolder)
	_, errFolder := os.Stat(folder)
	if _, errFile := os.Stat(filepath.Join(path, datadir.StableFile)); errFile == nil && errors.Is(errFolder, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is %s, and no folder %s beside it", model.ErrCorrupt, datadir.StableFile, datadir.LogFolder)
	}
	err = CatchFault(func() error {
		logs, err = openWALLog(folder, contact.NewLogger(o.Log, nil), cmp.Or(o.SegmentBytes, walSegmentBytes))
		return err
	})
	return logs, err
}

// makeBolt makes the file of term and vote where there is none, so that a crash leaves all of it or nothing. One that is
// gone while the log has entries is not made anew: the node would vote twice in a term.
func makeBolt(path string, lastIndex uint64) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Size() > 0, err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case lastIndex > 0:
		return fmt.Errorf("%w: there is a log with %d entries, and no %s beside it", model.ErrCorrupt, lastIndex, datadir.StableFile)
	}
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	bolt, err := raftboltdb.New(raftboltdb.Options{Path: next})
	if err != nil {
		return err
	}
	if err := errors.Join(bolt.Close(), os.Rename(next, path)); err != nil {
		return err
	}
	return datadir.Sync(filepath.Dir(path))
}

func openBolt(path string, readOnly bool) (bolt *raftboltdb.BoltStore, err error) {
	if err := loadBolt(path, readStable); err != nil {
		return nil, err
	}
	err = CatchFault(func() error {
		bolt, err = raftboltdb.New(raftboltdb.Options{
			Path:        path,
			BoltOptions: &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, ReadOnly: readOnly},
		})
		return err
	})
	return bolt, err
}

func openError(path string, err error) error {
	if errors.Is(err, model.ErrCorrupt) || errors.Is(err, bbolterrors.ErrInvalid) || errors.Is(err, bbolterrors.ErrChecksum) || errors.Is(err, bbolterrors.ErrVersionMismatch) {
		return unreadable(path, err)
	}
	return fmt.Errorf("open the Raft log in %s: %w", path, err)
}
