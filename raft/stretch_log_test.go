package raft

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func mustOpenLog(t *testing.T, dir string) *stretchLog {
	t.Helper()
	l, err := openStretchLog(dir, hclog.NewNullLogger(), stretchSegmentBytes)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// entriesOf gives entries of a term from one index to another.
func entriesOf(term, from, to uint64) []*raft.Log {
	var logs []*raft.Log
	for i := from; i <= to; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: term, Data: []byte{byte(i), byte(term)}})
	}
	return logs
}

// requireLog requires exactly these entries, also after the log was closed and opened again.
func requireLog(t *testing.T, l *stretchLog, want ...[]*raft.Log) *stretchLog {
	t.Helper()
	requireEntries(t, l, want...)
	require.NoError(t, l.Close())
	l = mustOpenLog(t, l.dir)
	requireEntries(t, l, want...)
	return l
}

func requireEntries(t *testing.T, l *stretchLog, want ...[]*raft.Log) {
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

// The hole that a restore leaves, and the entries before it, must be there after a restart: which of
// the two count may not be known yet.
func TestLogKeepsHoles(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	require.NoError(t, l.StoreLogs(entriesOf(2, 7, 9)))
	l = requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 7, 9))
	require.NoError(t, l.StoreLogs(entriesOf(2, 10, 10)))
	require.NoError(t, l.StoreLog(entriesOf(3, 20, 20)[0]))
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 7, 10), entriesOf(3, 20, 20))
}

// Entries that another leader replaces go, whichever stretches they are in, and so do those that a
// snapshot covers; what is written next follows what is left.
func TestLogIsCutAtBothEnds(t *testing.T) {
	for name, c := range map[string]struct {
		from, to uint64
		left     [][]*raft.Log
		next     uint64
	}{
		"nothing before":       {from: 0, to: 0, left: [][]*raft.Log{entriesOf(1, 1, 5), entriesOf(1, 7, 9), entriesOf(1, 20, 22)}, next: 23},
		"nothing in a hole":    {from: 10, to: 12, left: [][]*raft.Log{entriesOf(1, 1, 5), entriesOf(1, 7, 9), entriesOf(1, 20, 22)}, next: 23},
		"end of the last":      {from: 21, to: 22, left: [][]*raft.Log{entriesOf(1, 1, 5), entriesOf(1, 7, 9), entriesOf(1, 20, 20)}, next: 21},
		"all of the last":      {from: 20, to: 22, left: [][]*raft.Log{entriesOf(1, 1, 5), entriesOf(1, 7, 9)}, next: 10},
		"into the second":      {from: 8, to: 22, left: [][]*raft.Log{entriesOf(1, 1, 5), entriesOf(1, 7, 7)}, next: 8},
		"into the first":       {from: 3, to: 22, left: [][]*raft.Log{entriesOf(1, 1, 2)}, next: 3},
		"beginning of first":   {from: 1, to: 3, left: [][]*raft.Log{entriesOf(1, 4, 5), entriesOf(1, 7, 9), entriesOf(1, 20, 22)}, next: 23},
		"through the second":   {from: 1, to: 9, left: [][]*raft.Log{entriesOf(1, 20, 22)}, next: 23},
		"beginning of second":  {from: 1, to: 8, left: [][]*raft.Log{entriesOf(1, 9, 9), entriesOf(1, 20, 22)}, next: 40},
		"all, and a new start": {from: 1, to: 22, next: 7},
	} {
		t.Run(name, func(t *testing.T) {
			l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
			for _, part := range [][]*raft.Log{entriesOf(1, 1, 5), entriesOf(1, 7, 9), entriesOf(1, 20, 22)} {
				require.NoError(t, l.StoreLogs(part))
			}
			require.NoError(t, l.DeleteRange(c.from, c.to))
			l = requireLog(t, l, c.left...)
			require.NoError(t, l.StoreLogs(entriesOf(9, c.next, c.next+1)))
			requireLog(t, l, append(c.left, entriesOf(9, c.next, c.next+1))...)
		})
	}
}

// mustOpenStuckLog makes a log of 1 to 5 and 7 to 9; the folder of one of the two cannot be removed before
// putBack is called.
func mustOpenStuckLog(t *testing.T, stuck int) (l *stretchLog, folder string, putBack func()) {
	t.Helper()
	l = mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	require.NoError(t, l.StoreLogs(entriesOf(1, 7, 9)))
	folder = l.stretches[stuck].path
	require.NoError(t, os.Rename(folder, folder+".aside"))
	return l, folder, func() { require.NoError(t, os.Rename(folder+".aside", folder)) }
}

// Entries that were cut off must not come back with the next start because their file could not be removed at
// the first attempt: they would hide those that were written since.
func TestLogThatCannotBeCutIsCutLater(t *testing.T) {
	l, folder, putBack := mustOpenStuckLog(t, 1)
	require.Error(t, l.DeleteRange(6, 9))
	require.Error(t, l.DeleteRange(6, 9), "the next attempt")
	require.Error(t, l.StoreLogs(entriesOf(2, 6, 9)), "nothing may be written before")
	putBack()
	require.NoError(t, l.DeleteRange(6, 9))
	require.NoDirExists(t, folder)
	require.NoError(t, l.StoreLogs(entriesOf(2, 6, 9)))
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 6, 9))
}

// What compaction could not remove must not keep a node from writing: it hides nothing.
func TestLogThatCannotBeCompactedGoesOn(t *testing.T) {
	l, folder, putBack := mustOpenStuckLog(t, 0)
	require.Error(t, l.DeleteRange(1, 5))
	require.NoError(t, l.StoreLogs(entriesOf(1, 10, 10)))
	putBack()
	require.NoError(t, l.StoreLogs(entriesOf(1, 11, 11)))
	require.NoDirExists(t, folder)
	requireLog(t, l, entriesOf(1, 7, 11))
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

// A crash leaves a stretch without entries, or one that is removed in part; neither may keep the node
// from starting.
func TestLogOpensAfterACrash(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := mustOpenLog(t, dir)
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	_, err := l.begin(9)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	removed := filepath.Join(dir, "00000000000000000007"+removedSuffix)
	require.NoError(t, os.MkdirAll(removed, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(removed, "wal-meta.db"), []byte("half"), 0o600))

	l = mustOpenLog(t, dir)
	requireEntries(t, l, entriesOf(1, 1, 5))
	require.NoDirExists(t, removed)
	require.NoError(t, l.StoreLogs(entriesOf(2, 6, 6)))
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 6, 6))
}

// A write that fails, as on a full disk, leaves a log that takes the next one.
func TestLogGoesOnAfterAFailedWrite(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	require.NoError(t, l.stretches[0].WAL.Close()) // no write goes through
	require.ErrorIs(t, soundLog{l, l.dir}.GetLog(3, &raft.Log{}), errLogClosed, "which is not damage")
	require.Error(t, l.StoreLogs(entriesOf(1, 6, 7)))
	require.NoError(t, l.StoreLogs(entriesOf(2, 6, 7)))
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 6, 7))
}

// A new stretch whose first write failed gives way to whatever is written next.
func TestLogLeavesNoEmptyStretch(t *testing.T) {
	l := mustOpenLog(t, filepath.Join(t.TempDir(), "log"))
	require.NoError(t, l.StoreLogs(entriesOf(1, 1, 5)))
	_, err := l.begin(9)
	require.NoError(t, err)
	require.NoError(t, l.StoreLogs(entriesOf(2, 6, 7)))
	requireLog(t, l, entriesOf(1, 1, 5), entriesOf(2, 6, 7))
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
	for range stretchSegmentBytes/entryBytes - 2 {
		store()
	}
	require.NoError(t, l.Close())
	noted := filepath.Join(l.stretches[0].path, "wal-meta.db")
	before, err := os.ReadFile(noted)
	require.NoError(t, err)

	l = mustOpenLog(t, l.dir)
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(l.stretches[0].path, "*.wal"))
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
	require.Len(t, l.stretches, 2, "the file that was ended is written to no more")
	require.NoError(t, l.Close())
	l = mustOpenLog(t, l.dir)
	for i := uint64(1); i <= index; i++ {
		require.NoError(t, l.GetLog(i, &raft.Log{}), "entry %d", i)
	}
}
