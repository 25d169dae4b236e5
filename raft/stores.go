package raft

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

const (
	snapshotsKept = 2
	snapshotsDir  = "snapshots" // what hashicorp calls the folder
	// logCacheEntries keeps replication to followers from reading the disk.
	logCacheEntries = 512
)

// stores is what a node keeps on disk for Raft.
type stores struct {
	bolt      *raftboltdb.BoltStore // term and vote
	log       *stretchLog
	cache     *raft.LogCache
	snapshots *snapshotStore
}

func openStores(dir *DataDir, log *slog.Logger) (*stores, error) {
	s, err := newStores(dir, log, false)
	if err != nil {
		return nil, err
	}
	if err := s.snapshots.removeSuperseded(dir.file(snapshotsDir)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// inspectStores opens a directory that must stay as it is.
func inspectStores(dir *DataDir) (*stores, error) {
	return newStores(dir, slog.New(slog.DiscardHandler), true)
}

func newStores(dir *DataDir, log *slog.Logger, readOnly bool) (*stores, error) {
	bolt, err := raftboltdb.New(raftboltdb.Options{
		Path:        dir.file(logFile),
		BoltOptions: &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, ReadOnly: readOnly},
	})
	if err != nil {
		return nil, fmt.Errorf("open the Raft log %s: %w", dir.file(logFile), err)
	}
	logs, err := openStretchLog(dir.file(logDir), newHCLogger(log))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the Raft log: %w", err), bolt.Close())
	}
	cache, errCache := raft.NewLogCache(logCacheEntries, logs)
	snapshots, errSnapshots := raft.NewFileSnapshotStoreWithLogger(dir.Path(), snapshotsKept, newHCLogger(log))
	if err := errors.Join(errCache, errSnapshots); err != nil {
		return nil, errors.Join(fmt.Errorf("open the snapshots in %s: %w", dir.Path(), err), logs.Close(), bolt.Close())
	}
	return &stores{bolt: bolt, log: logs, cache: cache, snapshots: &snapshotStore{SnapshotStore: snapshots, logs: cache}}, nil
}

func (s *stores) hasState() (bool, error) {
	return raft.HasExistingState(s.cache, s.bolt, s.snapshots)
}

func (s *stores) close() error { return errors.Join(s.log.Close(), s.bolt.Close()) }
