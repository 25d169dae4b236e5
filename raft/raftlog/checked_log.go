package raftlog

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// CatchFault makes an error that matches model.ErrCorrupt of a panic. bbolt panics where a page of its file
// is not what it must be, and the runtime does where a part of the file that is mapped into memory cannot
// be read.
func CatchFault(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", model.ErrCorrupt, p)
		}
	}()
	return do()
}

// checkedLog writes entries with sums that tell when they were damaged, and reads them. An error that matches
// model.ErrCorrupt means that they are, and says what to do.
type checkedLog struct {
	raft.LogStore
	dir string
}

// StoreLog stores one entry.
func (s checkedLog) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

// StoreLogs stores entries.
func (s checkedLog) StoreLogs(logs []*raft.Log) error { return s.LogStore.StoreLogs(withSums(logs)) }

// GetLog reads an entry, as it was written.
func (s checkedLog) GetLog(index uint64, log *raft.Log) error {
	err := CatchFault(func() error { return s.LogStore.GetLog(index, log) })
	switch {
	case errors.Is(err, raft.ErrLogNotFound), errors.Is(err, ErrReopening):
		return err
	case err == nil:
		err = checkEntry(index, log)
	case !errors.Is(err, model.ErrCorrupt): // it does not decode
		err = fmt.Errorf("%w: %w", model.ErrCorrupt, err)
	}
	if err != nil {
		return unreadable(s.dir, fmt.Errorf("entry %d: %w", index, err))
	}
	return nil
}

// FirstIndex returns the first index of the log.
func (s checkedLog) FirstIndex() (index uint64, err error) { return caughtIndex(s.LogStore.FirstIndex) }

// LastIndex returns the last index of the log.
func (s checkedLog) LastIndex() (index uint64, err error) { return caughtIndex(s.LogStore.LastIndex) }

func caughtIndex(read func() (uint64, error)) (n uint64, err error) {
	err = CatchFault(func() error {
		n, err = read()
		return err
	})
	return n, err
}
