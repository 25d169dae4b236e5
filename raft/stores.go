package raft

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"versiond/model"
)

const (
	snapshotsKept = 2
	snapshotsDir  = "snapshots" // what hashicorp calls the folder
	// logCacheEntries keeps replication to followers from reading the disk.
	logCacheEntries = 512
)

// stores is what a node keeps on disk for Raft.
type stores struct {
	bolt      boltStore
	cache     *raft.LogCache
	stable    raft.StableStore
	snapshots *snapshotStore
	disk      *disk // nil until hold
}

// boltStore is the file that log, term and vote are in.
type boltStore interface {
	raft.LogStore
	raft.StableStore
	Close() error
}

func openStores(dir *DataDir, log *slog.Logger) (*stores, error) {
	s, err := newStores(dir, log, false)
	if err != nil {
		return nil, err
	}
	if err := s.snapshots.tidy(log); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// inspectStores opens a directory that must stay as it is.
func inspectStores(dir *DataDir) (*stores, error) {
	return newStores(dir, slog.New(slog.DiscardHandler), true)
}

func newStores(dir *DataDir, log *slog.Logger, readOnly bool) (*stores, error) {
	bolt, err := openLog(dir, readOnly)
	if err != nil {
		return nil, err
	}
	if err := checkEnds(soundLog{bolt, dir.Path()}); err != nil {
		return nil, errors.Join(err, bolt.Close())
	}
	cache, errCache := raft.NewLogCache(logCacheEntries, soundLog{bolt, dir.Path()})
	snapshots, errSnapshots := raft.NewFileSnapshotStoreWithLogger(dir.Path(), snapshotsKept, newHCLogger(log))
	if err := errors.Join(errCache, errSnapshots); err != nil {
		return nil, errors.Join(fmt.Errorf("open the snapshots in %s: %w", dir.Path(), err), bolt.Close())
	}
	return &stores{bolt: bolt, cache: cache, stable: bolt, snapshots: newSnapshotStore(snapshots, cache, dir.file(snapshotsDir))}, nil
}

// openLog opens the file of the log, and says what to do when it is damaged.
func openLog(dir *DataDir, readOnly bool) (bolt boltStore, err error) {
	path := dir.file(logFile)
	if err := checkLogFile(path); err != nil {
		return nil, openError(dir, err)
	}
	err = sound(func() (err error) {
		bolt, err = raftboltdb.New(raftboltdb.Options{
			Path:        path,
			BoltOptions: &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, ReadOnly: readOnly},
		})
		return err
	})
	return bolt, openError(dir, err)
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

func openError(dir *DataDir, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, model.ErrCorrupt), errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return unreadableLog(dir.Path(), fmt.Errorf("%s: %w", logFile, err))
	}
	return fmt.Errorf("open the Raft log %s: %w", dir.file(logFile), err)
}

func (s *stores) hasState() (bool, error) {
	return raft.HasExistingState(s.cache, s.stable, s.snapshots)
}

// hold makes writes wait while the disk fails, once it is hashicorp's goroutines that write.
func (s *stores) hold(d *disk, wrap func(boltStore) boltStore) {
	s.disk = d
	if wrap != nil {
		s.bolt = wrap(s.bolt)
	}
	s.stable = &heldStable{StableStore: s.bolt, disk: d}
	s.cache, _ = raft.NewLogCache(logCacheEntries, &heldLog{LogStore: soundLog{s.bolt, d.dir}, disk: d}) // it fails for want of a capacity alone
	s.snapshots.logs = s.cache
}

// close leaves the file open when a write to it does not come back: it would wait for that.
func (s *stores) close() error {
	if s.disk != nil && s.disk.hangs() {
		return fmt.Errorf("the Raft log was not closed: %w", s.disk.err())
	}
	return s.bolt.Close()
}
