package raftlog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// heldLog is a log whose writes wait while the disk fails.
type heldLog struct {
	raft.LogStore
	disk *Disk
}

// StoreLog stores one entry.
func (l *heldLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs stores entries. What a try that was said to have failed has written all the same is removed before the
// next one, since the log does not take an entry twice. Nothing is read for that: a log that was closed and could not be
// opened anew is opened by its next write only.
func (l *heldLog) StoreLogs(logs []*raft.Log) error {
	tried := false
	return l.disk.write(func() error {
		if tried {
			if err := l.LogStore.DeleteRange(logs[0].Index, logs[len(logs)-1].Index); err != nil {
				return err
			}
		}
		tried = true
		return l.LogStore.StoreLogs(logs)
	})
}

// DeleteRange cuts off the log. Where it is its end, after which a leader's entries follow, it has to
// be done; where it is its beginning, for compaction, hashicorp/raft tries again by itself, and on a full
// disk it takes more room than there is. An empty range does not touch the disk.
func (l *heldLog) DeleteRange(first, last uint64) error {
	if first > last {
		return nil
	}
	remove := func() error { return l.LogStore.DeleteRange(first, last) }
	if end, err := l.LastIndex(); err == nil && last < end {
		if err = l.disk.catch(remove); errors.Is(err, model.ErrCorrupt) && l.disk.running.Load() {
			l.disk.end(unreadable(l.disk.dir, err))
		}
		return err
	}
	return l.disk.write(remove)
}

// heldStable is where term and vote are kept. Its writes wait while the disk fails.
type heldStable struct {
	raft.StableStore
	disk *Disk
}

// Set stores a value.
func (s *heldStable) Set(key, value []byte) error {
	return s.disk.write(func() error { return s.StableStore.Set(key, withSum(key, value)) })
}

// SetUint64 stores a number.
func (s *heldStable) SetUint64(key []byte, value uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, value))
}

// Get reads a value.
func (s *heldStable) Get(key []byte) (value []byte, err error) {
	err = s.disk.catch(func() error {
		if value, err = s.StableStore.Get(key); err == nil {
			value, err = withoutSum(key, value)
		}
		return err
	})
	if errors.Is(err, model.ErrCorrupt) {
		err = unreadable(s.disk.dir, err)
		if s.disk.running.Load() {
			s.disk.end(err)
		}
	}
	return value, err
}

// GetUint64 reads a number.
func (s *heldStable) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, unreadable(s.disk.dir, fmt.Errorf("%w: %s is no number", model.ErrCorrupt, key))
	}
	return binary.BigEndian.Uint64(value), nil
}
