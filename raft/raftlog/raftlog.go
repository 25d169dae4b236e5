// Package raftlog keeps on disk what Raft must not forget: the log, the term, the vote and the snapshots. What is
// damaged is found when it is read, and no failure of a write reaches hashicorp/raft.
package raftlog

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/contact"
	"versiond/raft/datadir"
)

const (
	snapshotsKept = 2
	// cacheEntries keeps replication to followers from reading the disk.
	cacheEntries = 512
)

// Options set how a data directory is opened. Only Log has to be there.
type Options struct {
	Log *slog.Logger
	// SegmentBytes is the size of a new file of the log; 0 means the default.
	SegmentBytes int
	// ReadOnly leaves the directory as it is.
	ReadOnly bool
	// WriteFailed is called whenever a write fails or hangs; it is then tried again, or waited for.
	WriteFailed func()
	// Unreadable ends the node. It is called when a running node finds its log damaged.
	Unreadable func(error)
	// Wrap puts something between the disk and the files, as tests of a failing disk do.
	Wrap func(Files) Files
}

// Stores are what a data directory keeps for Raft. Its writes wait while the disk fails, once Raft runs.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore
	Snapshots raft.SnapshotStore
	Disk      *Disk

	files Files
}

// Open opens what the directory at path keeps for Raft, and makes what is not there yet. An error that matches
// model.ErrCorrupt says what to do about the damage.
func Open(path string, o Options) (*Stores, error) {
	files, err := openFiles(path, o)
	if err != nil {
		return nil, openError(path, err)
	}
	if o.Wrap != nil {
		files = o.Wrap(files)
	}
	s := &Stores{files: files, Disk: newDisk(path, o)}
	s.Stable = &heldStable{StableStore: files, disk: s.Disk}
	if err = s.openLog(path); err == nil {
		err = s.openSnapshots(path, o)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stores) openLog(path string) (err error) {
	checked := checkedLog{s.files, path}
	if err := checkEnds(checked); err != nil {
		return err
	}
	cache, err := raft.NewLogCache(cacheEntries, &heldLog{LogStore: checked, disk: s.Disk})
	s.Log = &cachedLog{LogCache: cache}
	return err
}

func (s *Stores) openSnapshots(path string, o Options) error {
	inner, err := raft.NewFileSnapshotStoreWithLogger(path, snapshotsKept, contact.NewLogger(o.Log, nil))
	if err != nil {
		return fmt.Errorf("open the snapshots in %s: %w", path, err)
	}
	snapshots := newSnapshots(inner, filepath.Join(path, datadir.SnapshotsFolder))
	s.Snapshots = snapshots
	if o.ReadOnly {
		return snapshots.judge(s.Log, o.Log)
	}
	return snapshots.tidy(s.Log, o.Log)
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

// HasState reports whether Raft has run in the directory.
func (s *Stores) HasState() (bool, error) {
	return raft.HasExistingState(s.Log, s.Stable, s.Snapshots)
}

// Close leaves the files open when a write to them does not come back, or one of them is damaged, which others have
// been told: it would wait for ever.
func (s *Stores) Close() error {
	switch {
	case s.Disk.hangs():
		return fmt.Errorf("the Raft log was not closed: %w", s.Disk.Err())
	case s.Disk.faulty.Load():
		return nil
	}
	return s.files.Close()
}

// unreadable returns an error that says what to do about a log that is damaged.
func unreadable(dir string, err error) error {
	return fmt.Errorf("the Raft log in %s cannot be read: %w; %s", dir, err, model.RejoinAdvice)
}
