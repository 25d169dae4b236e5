package raftlog

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"

	"versiond/model"
)

// walSegmentBytes is how much one file of the log holds by default. It is allocated in advance, so it is small
// enough for three nodes on a laptop; any batch fits in addition.
const walSegmentBytes = 16 << 20

// ErrReopening is returned by a read while the log could not be opened anew yet after a write that failed. It is no damage: whoever
// reads may try again.
var ErrReopening = errors.New("the Raft log could not be opened again yet")

// walLog is the Raft log on disk: a write-ahead log of raft-wal, which syncs once for each append.
//
// A write that failed may have left anything behind the last whole entry, and raft-wal with a wrong idea of what is
// there. So the log is opened anew before the next write, which sees to both. Any goroutine may call it.
//
// It says nothing of being a MonotonicLogStore: to one that does, hashicorp/raft answers by deleting all
// entries when a snapshot is installed, also those behind it that this node has acknowledged.
type walLog struct {
	dir          string
	log          hclog.Logger
	segmentBytes int

	writing sync.Mutex   // held by whoever changes the log, over its I/O
	failed  bool         // a write has failed since it was opened; guarded by writing
	mu      sync.RWMutex // held while the two are exchanged, or closed
	wal     *wal.WAL
	meta    *metadb.BoltMetaDB
}

var _ raft.LogStore = (*walLog)(nil)

// openWALLog opens the log in dir, which is made when it is missing.
func openWALLog(dir string, log hclog.Logger, segmentBytes int) (*walLog, error) {
	l := &walLog{dir: dir, log: log, segmentBytes: segmentBytes}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			return nil, fmt.Errorf("%s was written by an earlier development version, which this one does not read; nothing in it is damaged: "+
				"start that version, save what the cluster has (GET /backup), and restore it in a new cluster of this one", dir)
		}
	}
	if err != nil {
		return nil, err
	}
	return l, l.open()
}

func (l *walLog) open() error {
	if err := checkTail(l.dir); err != nil {
		return fmt.Errorf("open %s: %w", l.dir, err)
	}
	meta := &metadb.BoltMetaDB{}
	opened, err := wal.Open(l.dir, wal.WithMetaStore(meta), wal.WithLogger(l.log), wal.WithSegmentSize(l.segmentBytes))
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", l.dir, model.AsDamage(err)), meta.Close())
	}
	l.wal, l.meta = opened, meta
	return nil
}

// FirstIndex returns the lowest index that there is, 0 when the log is empty.
func (l *walLog) FirstIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	index, err := l.wal.FirstIndex()
	return index, notClosed(err)
}

// LastIndex returns the highest index that there is, 0 when the log is empty.
func (l *walLog) LastIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	index, err := l.wal.LastIndex()
	return index, notClosed(err)
}

// GetLog reads an entry; raft.ErrLogNotFound when there is none. Raft-wal alone still finds some in front of the first
// one.
func (l *walLog) GetLog(index uint64, log *raft.Log) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	first, err := l.wal.FirstIndex()
	switch {
	case err == nil && index < first:
		return raft.ErrLogNotFound
	case err == nil:
		err = l.wal.GetLog(index, log)
	}
	return notClosed(err)
}

// notClosed returns ErrReopening for the error that raft-wal returns while its log is opened anew, and any other as it is.
func notClosed(err error) error {
	if errors.Is(err, wal.ErrClosed) {
		return ErrReopening
	}
	return err
}

// StoreLog appends one entry.
func (l *walLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

// StoreLogs appends entries that follow each other. They are on disk when it returns nil. After an error they may
// turn out to be there all the same when the next write begins.
//
// Where the first of them leaves a hole, a snapshot was installed that covers everything before it, and that is
// removed: raft-wal takes no holes.
func (l *walLog) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	return l.write(func(w *wal.WAL) error {
		first, errFirst := w.FirstIndex()
		last, errLast := w.LastIndex()
		err := errors.Join(errFirst, errLast)
		if err == nil && last != 0 && logs[0].Index > last+1 {
			err = w.DeleteRange(first, last)
		}
		if err != nil {
			return err
		}
		return w.StoreLogs(logs)
	})
}

// DeleteRange removes all entries up to maximum, or all from minimum on.
func (l *walLog) DeleteRange(minimum, maximum uint64) error {
	return l.write(func(w *wal.WAL) error { return w.DeleteRange(minimum, maximum) })
}

// write opens the log anew before a write where one has failed before. Raft-wal ends a file, and begins the next one
// aside; where that failed it refuses every write from then on, until endTail has helped it.
func (l *walLog) write(do func(*wal.WAL) error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.failed {
		if err := l.openAnew(); err != nil {
			return err
		}
	}
	err := do(l.wal)
	if errors.Is(err, wal.ErrSealed) {
		if err = l.openAnew(); err == nil {
			err = do(l.wal)
		}
	}
	l.failed = err != nil
	return err
}

// openAnew cuts off what a write has left that failed.
func (l *walLog) openAnew() error {
	l.failed = true
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.close() // what it could not write is cut off now
	if err := l.open(); err != nil {
		return err
	}
	l.failed = false
	return nil
}

// Close closes the files. It may be called more than once.
func (l *walLog) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.close()
}

// close closes also the file that raft-wal leaves open and locked.
func (l *walLog) close() error { return errors.Join(l.wal.Close(), l.meta.Close()) }
