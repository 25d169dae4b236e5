package raft

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"versiond/model"
	"versiond/raft/datadir"
)

const (
	snapshotsKept = 2
	// logCacheEntries keeps replication to followers from reading the disk.
	logCacheEntries = 512
)

// stores is what a node keeps on disk for Raft.
type stores struct {
	files     logFiles
	cache     *raft.LogCache
	stable    raft.StableStore
	snapshots *snapshotStore
	disk      *disk // nil until hold
}

// logFiles are those that the log, the term and the vote are in.
type logFiles interface {
	raft.LogStore
	raft.StableStore
	Close() error
}

// raftFiles has the log in a folder and term and vote in a file beside it.
type raftFiles struct {
	*walLog
	raft.StableStore
	file io.Closer
}

// Close closes both.
func (f *raftFiles) Close() error { return errors.Join(f.walLog.Close(), f.file.Close()) }

// openStores opens a directory for a node to write to. segmentBytes is the size of a new file of the log; 0 means the
// default.
func openStores(dir *datadir.Dir, log *slog.Logger, segmentBytes int) (*stores, error) {
	s, err := newStores(dir, log, cmp.Or(segmentBytes, walSegmentBytes), false)
	if err != nil {
		return nil, err
	}
	if err := s.snapshots.tidy(log); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// inspectStores opens a directory that must stay as it is.
func inspectStores(dir *datadir.Dir) (*stores, error) {
	return newStores(dir, slog.New(slog.DiscardHandler), walSegmentBytes, true)
}

func newStores(dir *datadir.Dir, log *slog.Logger, segmentBytes int, readOnly bool) (*stores, error) {
	files, err := openLog(dir, log, segmentBytes, readOnly)
	if err != nil {
		return nil, err
	}
	if err := checkEnds(checkedLog{files, dir.Path()}); err != nil {
		return nil, errors.Join(err, files.Close())
	}
	cache, errCache := raft.NewLogCache(logCacheEntries, checkedLog{files, dir.Path()})
	snapshots, errSnapshots := raft.NewFileSnapshotStoreWithLogger(dir.Path(), snapshotsKept, newHCLogger(log))
	if err := errors.Join(errCache, errSnapshots); err != nil {
		return nil, errors.Join(fmt.Errorf("open the snapshots in %s: %w", dir.Path(), err), files.Close())
	}
	return &stores{files: files, cache: cache, stable: files, snapshots: newSnapshotStore(snapshots, cache, dir.File(datadir.SnapshotsFolder))}, nil
}

// openLog opens the files of the log, and says what to do when they are damaged.
func openLog(dir *datadir.Dir, log *slog.Logger, segmentBytes int, readOnly bool) (logFiles, error) {
	logs, err := openFolder(dir, log, segmentBytes)
	if err != nil {
		return nil, openError(dir, err)
	}
	last, err := caughtIndex(logs.LastIndex)
	if err == nil {
		err = makeBolt(dir.File(datadir.StableFile), last)
	}
	var bolt *raftboltdb.BoltStore
	if err == nil {
		bolt, err = openBolt(dir.File(datadir.StableFile), readOnly)
	}
	if err != nil {
		return nil, errors.Join(openError(dir, err), logs.Close())
	}
	return &raftFiles{walLog: logs, StableStore: bolt, file: bolt}, nil
}

// openFolder opens the log. One that is gone while term and vote are there is not made anew: the node would
// vote as if it had never acknowledged anything.
func openFolder(dir *datadir.Dir, log *slog.Logger, segmentBytes int) (logs *walLog, err error) {
	_, errFolder := os.Stat(dir.File(datadir.LogFolder))
	if _, errFile := os.Stat(dir.File(datadir.StableFile)); errFile == nil && errors.Is(errFolder, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is %s, and no folder %s beside it", model.ErrCorrupt, datadir.StableFile, datadir.LogFolder)
	}
	err = catchFault(func() error {
		logs, err = openWALLog(dir.File(datadir.LogFolder), newHCLogger(log), segmentBytes)
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
	err = catchFault(func() error {
		bolt, err = raftboltdb.New(raftboltdb.Options{
			Path:        path,
			BoltOptions: &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, ReadOnly: readOnly},
		})
		return err
	})
	return bolt, err
}

// checkEnds reads the first and the last entry: an index that was altered shows nowhere else, since all
// others stand one after the other.
func checkEnds(logs raft.LogStore) error {
	for _, end := range []func() (uint64, error){logs.FirstIndex, logs.LastIndex} {
		var log raft.Log
		index, err := end()
		if err == nil && index > 0 {
			err = logs.GetLog(index, &log)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func openError(dir *datadir.Dir, err error) error {
	if errors.Is(err, model.ErrCorrupt) || errors.Is(err, bbolterrors.ErrInvalid) || errors.Is(err, bbolterrors.ErrChecksum) || errors.Is(err, bbolterrors.ErrVersionMismatch) {
		return unreadableLog(dir.Path(), err)
	}
	return fmt.Errorf("open the Raft log in %s: %w", dir.Path(), err)
}

func (s *stores) hasState() (bool, error) {
	return raft.HasExistingState(s.cache, s.stable, s.snapshots)
}

// hold makes writes wait while the disk fails, once it is hashicorp's goroutines that write.
func (s *stores) hold(d *disk, wrap func(logFiles) logFiles) {
	s.disk = d
	if wrap != nil {
		s.files = wrap(s.files)
	}
	s.stable = &heldStable{StableStore: s.files, disk: d}
	s.cache, _ = raft.NewLogCache(logCacheEntries, &heldLog{LogStore: checkedLog{s.files, d.dir}, disk: d}) // it fails for want of a capacity alone
	s.snapshots.logs = s.cache
}

// close leaves the files open when a write to them does not come back: it would wait for that.
func (s *stores) close() error {
	if s.disk != nil && s.disk.hangs() {
		return fmt.Errorf("the Raft log was not closed: %w", s.disk.err())
	}
	return s.files.Close()
}
