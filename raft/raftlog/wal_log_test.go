package raftlog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustOpenLog(t *testing.T, dir string) *walLog {
	t.Helper()
	l, err := openWALLog(dir, hclog.NewNullLogger(), walSegmentBytes)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// entriesOf returns entries of a term from one index to another.
func entriesOf(term, from, to uint64) []*raft.Log {
	var logs []*raft.Log
	for i := from; i <= to; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: term, Data: []byte{byte(i), byte(term)}})
	}
	return logs
}

// requireLog requires exactly these entries, also after the log was closed and opened again.
func requireLog(t *testing.T, l *walLog, want ...[]*raft.Log) *walLog {
	t.Helper()
	requireEntries(t, l, want...)
	require.NoError(t, l.Close())
	l = mustOpenLog(t, l.dir)
	requireEntries(t, l, want...)
	return l
}

func requireEntries(t *testing.T, l *walLog, want ...[]*raft.Log) {
	t.Helper()
	there := map[uint64]uint64{}
	var first, last uint64
	for _, part := range want {
		for _, log := range part {
			there[log.Index], last = log.Term, log.Index
			if first == 0 {
				first = log.Index
			}
		}
	}
	gotFirst, err := l.FirstIndex()
	require.NoError(t, err)
	gotLast, err := l.LastIndex()
	require.NoError(t, err)
	require.Equal(t, []uint64{first, last}, []uint64{gotFirst, gotLast})
	for index := uint64(1); index <= last+2; index++ {
		var log raft.Log
		err := l.GetLog(index, &log)
		if term, ok := there[index]; ok {
			require.NoError(t, err)
			require.Equal(t, []byte{byte(index), byte(term)}, log.Data)
			require.Equal(t, []uint64{index, term}, []uint64{log.Index, log.Term})
			continue
		}
		require.ErrorIs(t, err, raft.ErrLogNotFound, "index %d", index)
	}
}

// What lies before a snapshot that was installed goes when the log goes on behind it: raft-wal takes no hole, and a leader
// that came to send those entries would send what was never committed.
func TestLogGoesOnBehindAHole(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	require.NoError(t, l.StoreLogs(entriesOf(2, 7, 9)))
	l = requireLog(t, l, entriesOf(2, 7, 9))
	require.NoError(t, l.StoreLogs(entriesOf(2, 10, 10)))
	require.NoError(t, l.StoreLog(entriesOf(3, 20, 20)[0]))
	l = requireLog(t, l, entriesOf(3, 20, 20))
	require.NoError(t, l.StoreLogs(entriesOf(3, 21, 23)))
	requireLog(t, l, entriesOf(3, 20, 23))
}

// What the log has removed before a hole must be gone from the cache above it too.
func TestNothingBeforeAHoleIsReadFromTheCache(t *testing.T) {
	stores, err := Open(t.TempDir(), quiet)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stores.Close()) })
	require.NoError(t, stores.Log.StoreLogs(entriesOf(1, 1, 5)))
	require.NoError(t, stores.Log.StoreLog(entriesOf(2, 7, 7)[0]))
	var log raft.Log
	for index := range uint64(6) {
		require.ErrorIs(t, stores.Log.GetLog(index+1, &log), raft.ErrLogNotFound, "index %d", index+1)
	}
	require.NoError(t, stores.Log.GetLog(7, &log))
	require.EqualValues(t, 2, log.Term)
}

// Entries that another leader replaces go, and so do those that a snapshot covers; what is written next follows what is
// left.
func TestLogIsCutAtBothEnds(t *testing.T) {
	for name, c := range map[string]struct {
		from, to uint64
		left     []*raft.Log
		next     uint64
	}{
		"nothing before":       {from: 0, to: 0, left: entriesOf(1, 1, 9), next: 10},
		"nothing behind":       {from: 10, to: 12, left: entriesOf(1, 1, 9), next: 10},
		"the last":             {from: 9, to: 9, left: entriesOf(1, 1, 8), next: 9},
		"the end":              {from: 4, to: 9, left: entriesOf(1, 1, 3), next: 4},
		"all but the first":    {from: 2, to: 9, left: entriesOf(1, 1, 1), next: 2},
		"the beginning":        {from: 1, to: 3, left: entriesOf(1, 4, 9), next: 10},
		"all but the last":     {from: 1, to: 8, left: entriesOf(1, 9, 9), next: 10},
		"more than there is":   {from: 0, to: 3, left: entriesOf(1, 4, 9), next: 10},
		"all, and a new start": {from: 1, to: 9, next: 7},
	} {
		t.Run(name, func(t *testing.T) {
			l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
			require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
			require.NoError(t, l.StoreLogs(entriesOf(1, 6, 9)))
			require.NoError(t, l.DeleteRange(c.from, c.to))
			l = requireLog(t, l, c.left)
			require.NoError(t, l.StoreLogs(entriesOf(9, c.next, c.next+1)))
			l = requireLog(t, l, c.left, entriesOf(9, c.next, c.next+1))
			require.NoError(t, l.DeleteRange(c.next+1, c.next+1))
			l = requireLog(t, l, c.left, entriesOf(9, c.next, c.next))
			require.NoError(t, l.StoreLogs(entriesOf(10, c.next+1, c.next+2)))
			requireLog(t, l, c.left, entriesOf(9, c.next, c.next), entriesOf(10, c.next+1, c.next+2))
		})
	}
}

// An index that is there already is refused: to write over it would leave what follows it of another
// history.
func TestLogRefusesToWriteOver(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	require.Error(t, l.StoreLogs(entriesOf(2, 5, 6)))
	require.Error(t, l.StoreLogs([]*raft.Log{entriesOf(2, 6, 6)[0], entriesOf(2, 8, 8)[0]}), "a hole within one append")
	require.NoError(t, l.StoreLogs(entriesOf(2, 6, 6)), "after a refusal")
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 6, 6))
}

// A log of an earlier development version is not taken for an empty one: the node would have forgotten everything.
func TestLogOfAnEarlierVersionIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "00000000000000000001"), 0o750))
	_, err := openWALLog(dir, hclog.NewNullLogger(), walSegmentBytes)
	require.ErrorContains(t, err, "an earlier development version")
}

// A write that fails, as on a full disk, leaves a log that takes the next one.
func TestLogGoesOnAfterAFailedWrite(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	require.NoError(t, l.wal.Close()) // no write goes through
	require.ErrorIs(t, checkedLog{l, l.dir}.GetLog(3, &raft.Log{}), ErrReopening, "which is not damage")
	require.Error(t, l.StoreLogs(entriesOf(1, 6, 7)))
	require.NoError(t, l.StoreLogs(entriesOf(2, 6, 7)))
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 6, 7))
}

// brokenOnce is a log of which the first write fails, as of a disk that is full for a moment.
type brokenOnce struct {
	*walLog
	broken bool
}

func (b *brokenOnce) StoreLogs(logs []*raft.Log) error {
	if !b.broken {
		b.broken = true
		return b.write(func(*wal.WAL) error { return errDiskFull })
	}
	return b.walLog.StoreLogs(logs)
}

// A write may fail once more where the log is opened anew, as on a file system that is read-only for a while. The node
// goes on by itself all the same when the disk is back, as /readyz promises.
func TestHeldWriteGoesThroughAfterTheLogCouldNotBeOpenedAnew(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, checkedLog{l, l.dir}.StoreLogs(entriesOf(1, 1, 5)))
	away, failures := l.dir+"-away", 0
	d := newDisk("", Options{Log: quiet.Log, WriteFailed: func() {
		switch failures++; failures {
		case 1:
			assert.NoError(t, errors.Join(os.Rename(l.dir, away), os.Symlink(l.dir, l.dir))) // ELOOP for whoever opens it
		case 4:
			assert.NoError(t, errors.Join(os.Remove(l.dir), os.Rename(away, l.dir)))
		}
	}, Unreadable: func(err error) { assert.NoError(t, err, "it is no damage") }})
	d.Started()
	log := &heldLog{LogStore: checkedLog{&brokenOnce{walLog: l}, l.dir}, disk: d}
	stored := make(chan error, 1)
	go func() { stored <- log.StoreLogs(entriesOf(2, 6, 7)) }()
	select {
	case err := <-stored:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		d.Close()
		t.Fatal("it is tried again and again, and never goes through")
	}
	require.Equal(t, 4, failures)
	require.NoError(t, l.Close())
	checked := checkedLog{mustOpenLog(t, l.dir), l.dir}
	for i := uint64(1); i <= 7; i++ {
		require.NoError(t, checked.GetLog(i, &raft.Log{}), "entry %d", i)
	}
}

// Raft-wal writes to a file that it has ended no more, and begins the next one aside. When it is killed, or the
// disk is full, before it has noted that, it is stuck for ever; the log must not be.
func TestLogGoesOnWhereTheNextFileWasNotBegun(t *testing.T) {
	const entryBytes = 256 << 10
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	index := uint64(0)
	store := func() {
		index++
		require.NoError(t, l.StoreLog(&raft.Log{Index: index, Term: 1, Data: make([]byte, entryBytes)}))
	}
	for range walSegmentBytes/entryBytes - 2 {
		store()
	}
	require.NoError(t, l.Close())
	noted := filepath.Join(l.dir, "wal-meta.db")
	before, err := os.ReadFile(noted)
	require.NoError(t, err)

	l = mustOpenLog(t, l.dir)
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(l.dir, "*.wal"))
		require.NoError(t, err)
		return found
	}
	for len(files()) == 1 {
		store()
	}
	require.NoError(t, l.Close())
	for _, file := range files()[1:] {
		require.NoError(t, os.Remove(file))
	}
	require.NoError(t, os.WriteFile(noted, before, 0o600))

	l = mustOpenLog(t, l.dir)
	if last, err := l.LastIndex(); err == nil && last < index {
		index = last // the next file may have got an entry before it was seen
	}
	store()
	store()
	require.Len(t, files(), 2, "the file that was ended is written to no more")
	require.NoError(t, l.Close())
	l = mustOpenLog(t, l.dir)
	for i := uint64(1); i <= index; i++ {
		require.NoError(t, l.GetLog(i, &raft.Log{}), "entry %d", i)
	}
}

func walFiles(t *testing.T, l *walLog) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(l.dir, "*.wal"))
	require.NoError(t, err)
	return found
}

// The next file may also fail to begin while the node runs, as on a full disk: the write that comes then must go through
// as soon as there is room.
func TestLogGoesOnAfterTheNextFileCouldNotBeBegun(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 1)))
	require.NoError(t, l.meta.Close()) // no file can be noted
	last := uint64(1)
	for len(walFiles(t, l)) == 1 {
		last++
		require.NoError(t, l.StoreLog(&raft.Log{Index: last, Term: 1, Data: make([]byte, 256<<10)}))
	}
	require.NoError(t, l.Close())
	l = mustOpenLog(t, l.dir)
	for i := uint64(1); i <= last; i++ {
		require.NoError(t, l.GetLog(i, &raft.Log{}), "entry %d", i)
	}
}

// The append that ends a file may be torn like every other one. Raft-wal takes the file for ended all the same, and would
// then read an index that is not there.
func TestLogGoesOnAfterTheEndOfAFileWasTorn(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 1)))
	require.NoError(t, l.Close())
	before, err := os.ReadFile(filepath.Join(l.dir, metadb.FileName))
	require.NoError(t, err)
	l = mustOpenLog(t, l.dir)
	last := uint64(1)
	for len(walFiles(t, l)) == 1 {
		last++
		require.NoError(t, l.StoreLog(&raft.Log{Index: last, Term: 1, Data: make([]byte, 256<<10)}))
	}
	require.NoError(t, l.Close())
	files := walFiles(t, l)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	appended := walkAppends(content)
	require.Positive(t, appended.index)
	for at := range content[appended.index+walFrame:] {
		content[appended.index+walFrame+at] = 0
	}
	require.Less(t, walkAppends(content).entries, appended.entries)
	require.NoError(t, os.WriteFile(files[0], content, 0o600))
	require.NoError(t, os.Remove(files[1]))
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, metadb.FileName), before, 0o600))

	l = mustOpenLog(t, l.dir)
	end, err := l.LastIndex()
	require.NoError(t, err)
	require.Equal(t, appended.entries-1, end, "what was torn was never acknowledged")
	for range 2 {
		for i := end + 1; i < end+80; i++ {
			require.NoError(t, l.StoreLog(&raft.Log{Index: i, Term: 2, Data: make([]byte, 256<<10)}))
		}
		end += 79
		require.NoError(t, l.Close())
		l = mustOpenLog(t, l.dir)
		for i := uint64(1); i <= end; i++ {
			require.NoError(t, l.GetLog(i, &raft.Log{}), "entry %d", i)
		}
	}
}
