package raftlog

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
)

// mustLogFile makes a directory with a log of some size, part of it compacted away.
func mustLogFile(t testing.TB) (*datadir.Dir, []byte) {
	t.Helper()
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "node1"), "node1")
	require.NoError(t, err)
	t.Cleanup(func() { _ = dir.Close() })
	stores, err := Open(dir.Path(), quiet)
	require.NoError(t, err)
	require.NoError(t, stores.Stable.SetUint64([]byte("term"), 3))
	for i := range uint64(300) {
		data := bytes.Repeat([]byte{byte(i)}, int(i)*7)
		require.NoError(t, stores.Log.StoreLogs([]*raft.Log{{Index: i + 1, Term: 3, Type: raft.LogCommand, Data: data}}))
	}
	require.NoError(t, stores.Log.DeleteRange(1, 100))
	require.NoError(t, stores.Close())
	content, err := os.ReadFile(dir.File(datadir.StableFile))
	require.NoError(t, err)
	return dir, content
}

// usedPart returns a file without the zeros at its end, of which a log has some that is not full.
func usedPart(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return bytes.TrimRight(content, "\x00")
}

// readAllLog opens the log and returns what it holds, or why it cannot be read.
func readAllLog(dir *datadir.Dir) (logs []raft.Log, err error) {
	stores, err := Open(dir.Path(), quiet)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stores.Close() }()
	first, err := stores.Log.FirstIndex()
	if err != nil {
		return nil, err
	}
	if term, err := stores.Stable.GetUint64([]byte("term")); err != nil || term != 3 {
		return nil, errors.Join(err, fmt.Errorf("the term is %d", term))
	}
	last, err := stores.Log.LastIndex()
	for index := first; err == nil && index <= last; index++ {
		var log raft.Log
		if err = stores.Log.GetLog(index, &log); err == nil {
			log.AppendedAt = time.Time{} // of which nothing is made but a metric
			logs = append(logs, log)
		}
	}
	return logs, err
}

// A log that is cut off, overwritten or altered must be refused with words that say what to do, and
// never end the process with a stack, or be read as something else. If this fails, a bad sector makes an
// operator read the source of bbolt, or makes a node vote twice.
func TestDamagedLogIsRefused(t *testing.T) {
	for _, name := range []string{datadir.StableFile, datadir.LogFolder + "/wal-meta.db", datadir.LogFolder + "/*.wal"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			dir, _ := mustLogFile(t)
			found, err := filepath.Glob(dir.File(name))
			require.NoError(t, err)
			require.Len(t, found, 1)
			content, err := os.ReadFile(found[0])
			require.NoError(t, err)
			whole, err := readAllLog(dir)
			require.NoError(t, err)
			require.Len(t, whole, 200)
			refused := 0
			for damage, damaged := range damages(content, usedPart(t, found[0])) {
				require.NoError(t, os.Remove(found[0])) // bbolt keeps the lock of a file that it has panicked over
				require.NoError(t, os.WriteFile(found[0], damaged, 0o600))
				logs, err := readAllLog(dir)
				if err == nil && reachesTheEnd(content, damaged) {
					require.True(t, slices.EqualFunc(whole[:len(logs)], logs, sameLog), damage) // it looks like what a crash cut off
					continue
				}
				if err == nil {
					require.True(t, slices.EqualFunc(whole, logs, sameLog), damage) // it was in a free page, or in what means nothing
					continue
				}
				refused++
				require.ErrorIs(t, err, model.ErrCorrupt, damage)
				require.ErrorContains(t, err, "empty its data directory and start it", damage)
			}
			require.Greater(t, refused, 15)
		})
	}
}

func sameLog(a, b raft.Log) bool {
	return a.Index == b.Index && a.Term == b.Term && bytes.Equal(a.Data, b.Data)
}

// reachesTheEnd reports whether the last byte that differs belongs to the last entry of mustLogFile.
func reachesTheEnd(content, damaged []byte) bool {
	const entryBytes = 299*7 + 100
	at := min(len(content), len(damaged)) - 1
	for at > 0 && content[at] == damaged[at] {
		at--
	}
	return at > len(bytes.TrimRight(content, "\x00"))-entryBytes
}

// damages returns what may become of a file of which the beginning is used, one after the other: the files
// of a log are large.
func damages(content, used []byte) iter.Seq2[string, []byte] {
	page := os.Getpagesize()
	return func(yield func(string, []byte) bool) {
		for at := 1; at < len(used); at += len(used)/20 + 1 {
			if !yield(fmt.Sprintf("cut off at %d", at), content[:at]) {
				return
			}
		}
		for at := 0; at < len(used); at += page * (1 + len(used)/page/20) {
			damaged := bytes.Clone(content)
			copy(damaged[at:min(at+page, len(content))], bytes.Repeat([]byte{0xA5}, page))
			if !yield(fmt.Sprintf("garbage at %d", at), damaged) {
				return
			}
		}
		for at := 3; at < len(used); at += max(len(used)/25, 601) {
			damaged := bytes.Clone(content)
			damaged[at] ^= 0x10
			if !yield(fmt.Sprintf("a bit at %d", at), damaged) {
				return
			}
		}
	}
}

// A folder that is gone while the node's term and vote are there must not be made anew: the node would vote
// as if it had acknowledged nothing.
func TestLostLogFolderIsNoticed(t *testing.T) {
	dir, _ := mustLogFile(t)
	require.NoError(t, os.RemoveAll(dir.File(datadir.LogFolder)))
	_, err := readAllLog(dir)
	require.ErrorIs(t, err, model.ErrCorrupt)
	require.ErrorContains(t, err, "empty its data directory and start it")
}

// A file of term and vote that is gone while the log has entries must not be made anew: the node would vote twice.
func TestLostVoteIsNoticed(t *testing.T) {
	for _, lose := range []func(string) error{os.Remove, func(path string) error { return os.Truncate(path, 0) }} {
		dir, _ := mustLogFile(t)
		require.NoError(t, lose(dir.File(datadir.StableFile)))
		_, err := readAllLog(dir)
		require.ErrorIs(t, err, model.ErrCorrupt)
		require.ErrorContains(t, err, model.RejoinAdvice)
	}
}

func BenchmarkLoadBolt(b *testing.B) {
	dir, content := mustLogFile(b)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		require.NoError(b, loadBolt(dir.File(datadir.StableFile), readStable))
	}
}

// shiftedLog is a log of which the index of an end was altered: what is there says that it is another entry.
type shiftedLog struct{ raft.InmemStore }

func (*shiftedLog) LastIndex() (uint64, error) { return 316, nil }

func (*shiftedLog) GetLog(index uint64, log *raft.Log) error {
	*log = *withSums([]*raft.Log{{Index: min(index, 300), Term: 3}})[0]
	return nil
}

// An altered index of the last entry leaves everything in order. If this fails, a node believes that its log
// is longer than it is, and may be elected for it.
func TestAlteredEndOfTheLogIsNoticed(t *testing.T) {
	require.ErrorIs(t, checkEnds(checkedLog{&shiftedLog{}, "/data/node1"}), model.ErrCorrupt)
}
