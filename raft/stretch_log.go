package raft

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// stretchDigits lets the names of stretches sort like their numbers.
const stretchDigits = 20

// stretchLog is the Raft log on disk: write-ahead logs of raft-wal, which sync once for each append,
// each for one stretch of indexes without a hole. Raft-wal alone takes no holes, and to a log store of
// that kind hashicorp/raft answers with deleting all entries before a snapshot that it installs or
// restores. But a restore may turn out not to count, and then those entries do (docs/adr/0013).
//
// A write that failed may have left anything behind its stretch's last whole entry; the stretch is
// opened anew before the next write, which cuts that off. Any goroutine may call it.
type stretchLog struct {
	dir          string
	log          hclog.Logger
	segmentBytes int

	writing   sync.Mutex // held by whoever changes the log, over its I/O
	leaving   []*stretch // no part of the log any more, and not removed yet; guarded by writing
	mu        sync.RWMutex
	stretches []*stretch // by index; none but the last one may be empty. Changed under both locks
}

var _ raft.LogStore = (*stretchLog)(nil)

// openStretchLog opens the log in dir, which is made when it is missing.
func openStretchLog(dir string, log hclog.Logger, segmentBytes int) (*stretchLog, error) {
	l := &stretchLog{dir: dir, log: log, segmentBytes: segmentBytes}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	folders, err := os.ReadDir(dir) // sorted
	for _, folder := range folders {
		if err = l.openFolder(folder.Name()); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, err
}

// openFolder opens a stretch, or ends the removal of one. A stretch that is empty was made for a write
// that did not come to its end.
func (l *stretchLog) openFolder(name string) error {
	first, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		return os.RemoveAll(filepath.Join(l.dir, name))
	}
	s := &stretch{first: first, path: filepath.Join(l.dir, name)}
	if err := s.open(l.log, l.segmentBytes); err != nil {
		return err
	}
	if last, err := s.LastIndex(); err != nil || last == 0 {
		return errors.Join(err, s.remove())
	}
	l.stretches = append(l.stretches, s)
	return nil
}

// FirstIndex gives the lowest index that there is, 0 when the log is empty.
func (l *stretchLog) FirstIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.stretches) == 0 {
		return 0, nil
	}
	return l.stretches[0].FirstIndex()
}

// LastIndex gives the highest index that there is, 0 when the log is empty.
func (l *stretchLog) LastIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.stretches) == 0 {
		return 0, nil
	}
	return l.stretches[len(l.stretches)-1].LastIndex()
}

// GetLog reads an entry; raft.ErrLogNotFound when there is none, as in a hole.
func (l *stretchLog) GetLog(index uint64, log *raft.Log) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i := len(l.stretches) - 1; i >= 0; i-- {
		if s := l.stretches[i]; index >= s.first {
			return s.GetLog(index, log)
		}
	}
	return raft.ErrLogNotFound
}

// StoreLog appends one entry.
func (l *stretchLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs appends entries that follow each other; the first of them may leave a hole. They are on
// disk when it returns nil. After an error they may turn out to be there all the same when the next
// write begins.
func (l *stretchLog) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	s, err := l.stretchFor(logs[0].Index)
	if err != nil {
		return err
	}
	if err = s.StoreLogs(logs); errors.Is(err, wal.ErrSealed) {
		// Raft-wal has ended the file, and failed, or was killed, before it began the next one, which it then
		// never does.
		if s, err = l.begin(logs[0].Index); err == nil {
			err = s.StoreLogs(logs)
		}
	}
	if s != nil {
		s.note(err)
	}
	return err
}

// DeleteRange removes all entries up to maximum, or all from minimum on.
func (l *stretchLog) DeleteRange(minimum, maximum uint64) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if _, err := l.tail(); err != nil {
		return err
	}
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	inTurn := slices.Clone(l.stretches)
	if minimum > first {
		slices.Reverse(inTurn) // so that a crash leaves no hole that was not there
	}
	for _, s := range inTurn {
		if err := l.deleteFrom(s, minimum, maximum); err != nil {
			return err
		}
	}
	return nil
}

func (l *stretchLog) deleteFrom(s *stretch, minimum, maximum uint64) error {
	first, errFirst := s.FirstIndex()
	last, errLast := s.LastIndex()
	if err := errors.Join(errFirst, errLast); err != nil {
		return err
	}
	if minimum <= first && last <= maximum {
		return l.drop(s)
	}
	err := s.DeleteRange(minimum, maximum)
	s.note(err)
	return err
}

// Close closes the files. It may be called more than once.
func (l *stretchLog) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	var err error
	for _, s := range slices.Concat(l.stretches, l.leaving) {
		err = errors.Join(err, s.Close())
	}
	return err
}

// stretchFor gives the stretch that an entry at index goes to. One that has the index already refuses it.
func (l *stretchLog) stretchFor(index uint64) (*stretch, error) {
	s, err := l.tail()
	if err != nil {
		return nil, err
	}
	if s == nil {
		return l.begin(index)
	}
	last, err := s.LastIndex()
	switch {
	case err != nil:
		s.note(err)
		return nil, err
	case last == 0 && index != s.first: // it was begun for a write that failed
		if err := l.drop(s); err != nil {
			return nil, err
		}
		return l.begin(index)
	case last != 0 && index > last+1:
		return l.begin(index)
	}
	return s, nil
}

// tail gives the last stretch as it is on disk, nil when there is none.
func (l *stretchLog) tail() (*stretch, error) {
	if err := l.leave(); err != nil && l.hides() {
		return nil, err
	}
	if len(l.stretches) == 0 {
		return nil, nil
	}
	s := l.stretches[len(l.stretches)-1]
	if !s.failed {
		return s, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = s.Close() // what it could not write is cut off now
	return s, s.open(l.log, l.segmentBytes)
}

// begin makes a new stretch.
func (l *stretchLog) begin(index uint64) (*stretch, error) {
	s := &stretch{first: index, path: filepath.Join(l.dir, fmt.Sprintf("%0*d", stretchDigits, index))}
	if err := os.RemoveAll(s.path); err != nil { // what an attempt has left that failed
		return nil, err
	}
	if err := os.MkdirAll(s.path, 0o750); err != nil {
		return nil, err
	}
	if err := syncDir(l.dir); err != nil {
		return nil, err
	}
	if err := s.open(l.log, l.segmentBytes); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stretches = append(l.stretches, s)
	return s, nil
}

// drop removes a stretch.
func (l *stretchLog) drop(s *stretch) error {
	l.mu.Lock()
	l.stretches = slices.DeleteFunc(slices.Clone(l.stretches), func(other *stretch) bool { return other == s })
	l.mu.Unlock()
	l.leaving = append(l.leaving, s)
	return l.leave()
}

// leave ends the removal of stretches, as far as it can.
func (l *stretchLog) leave() error {
	var errs []error
	l.leaving = slices.DeleteFunc(l.leaving, func(s *stretch) bool {
		err := s.remove()
		errs = append(errs, err)
		return err == nil
	})
	return errors.Join(errs...)
}

// hides says whether one of the stretches that are leaving was cut off the end: if it came back with the
// next start, it would hide what is written from now on.
func (l *stretchLog) hides() bool {
	last, err := l.LastIndex()
	return err != nil || slices.ContainsFunc(l.leaving, func(s *stretch) bool { return last < s.first })
}
