package raftlog

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/test/harness/captured"
)

// quiet are the options of a directory of which nobody is told anything.
var quiet = Options{Log: slog.New(slog.DiscardHandler)}

var errDiskFull = &os.PathError{Op: "write", Path: "raft.db", Err: syscall.ENOSPC}

// A log that is written in the end must be said to be so, once, and be counted; a line a try would fill
// the disk for good.
func TestBrokenDiskIsLoggedOnceAndCounted(t *testing.T) {
	var text captured.Buffer
	failures := 0
	d := newDisk("/data/node1", Options{Log: slog.New(slog.NewTextHandler(&text, nil)), WriteFailed: func() { failures++ }})
	d.running.Store(true)
	tries := 0
	require.NoError(t, d.write(func() error {
		if tries++; tries < 5 {
			return errDiskFull
		}
		return nil
	}))
	require.Equal(t, 5, tries)
	require.Equal(t, 4, failures)
	require.Equal(t, 1, strings.Count(text.String(), "cannot be written"), text.String())
	require.Equal(t, 1, strings.Count(text.String(), "can be written again"), text.String())
	require.Contains(t, text.String(), "no space left on device; make room in /data/node1")
	require.NoError(t, d.Err())
}

// gaplessLog is a log that takes no entry twice, as raft-wal is.
type gaplessLog struct{ *raft.InmemStore }

func (gaplessLog) IsMonotonic() bool { return true }

func (g gaplessLog) StoreLogs(logs []*raft.Log) error {
	if last, _ := g.LastIndex(); logs[0].Index != last+1 {
		return errors.New("not the next one")
	}
	return g.InmemStore.StoreLogs(logs)
}

// A try that is said to have failed may have written all the same; another kind of log store must not
// refuse the next one for that, for ever.
func TestEntriesThatWereWrittenAllTheSameAreTakenBack(t *testing.T) {
	d := newDisk("", quiet)
	d.running.Store(true)
	inner := gaplessLog{raft.NewInmemStore()}
	log := &heldLog{LogStore: &lyingLog{gaplessLog: inner}, disk: d}
	stored := make(chan error, 1)
	go func() { stored <- log.StoreLogs([]*raft.Log{{Index: 1, Term: 1}, {Index: 2, Term: 1}}) }()
	select {
	case err := <-stored:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it is refused again and again")
	}
	last, err := inner.LastIndex()
	require.NoError(t, err)
	require.EqualValues(t, 2, last)
}

// lyingLog returns an error once although it has stored what it was to store.
type lyingLog struct {
	gaplessLog
	lied bool
}

func (l *lyingLog) StoreLogs(logs []*raft.Log) error {
	err := l.gaplessLog.StoreLogs(logs)
	if err == nil && !l.lied {
		l.lied = true
		return errDiskFull
	}
	return err
}

// The end of a log that a leader replaces has to be cut off, whatever the disk does; compaction need not
// be waited for, and on a full disk would wait for ever.
func TestOnlyTheEndOfTheLogIsCutOffAtAnyPrice(t *testing.T) {
	d := newDisk("", quiet)
	d.running.Store(true)
	inner := &failingDeletes{InmemStore: raft.NewInmemStore(), fails: 3}
	log := &heldLog{LogStore: inner, disk: d}
	for i := range uint64(10) {
		require.NoError(t, inner.StoreLog(&raft.Log{Index: i + 1}))
	}
	require.ErrorIs(t, log.DeleteRange(1, 5), syscall.ENOSPC)
	require.NoError(t, log.DeleteRange(8, 10))
	last, err := inner.LastIndex()
	require.NoError(t, err)
	require.EqualValues(t, 7, last)
}

type failingDeletes struct {
	*raft.InmemStore
	fails int
}

func (f *failingDeletes) DeleteRange(first, last uint64) error {
	if f.fails > 0 {
		f.fails--
		return errDiskFull
	}
	return f.InmemStore.DeleteRange(first, last)
}

// A node that led when its disk failed must not take itself for the leader the moment the disk is back:
// others may have elected one, and hashicorp's main loop has yet to hear of it. If this fails, it serves
// stale reads at level=leader. A failure too short for that costs nothing.
func TestNodeDoubtsItsLeadAfterItsDiskWasBroken(t *testing.T) {
	for length, doubts := range map[time.Duration]bool{0: false, missedLeaderGrace + 50*time.Millisecond: true} {
		d := newDisk("", quiet)
		held := d.hold(errDiskFull, false)
		require.False(t, d.MayLead())
		time.Sleep(length) //nolint:forbidigo // how long it lasts is what is tested
		d.release(held)
		require.Equal(t, doubts, !d.MayLead(), "after %s", length)
		require.Eventually(t, d.MayLead, 10*reclaimLeadAfter, time.Millisecond)
	}
}

// A fault in a file of bbolt leaves it locked: a node that closed it would never come to say why it ended.
func TestNodeWithADamagedFileIsClosed(t *testing.T) {
	for name, damage := range map[string]struct {
		file  string
		touch func(*Stores)
	}{
		"term and vote":      {datadir.StableFile, func(s *Stores) { _ = s.Stable.SetUint64([]byte("term"), 1) }},
		"files of the log":   {datadir.LogFolder + "/wal-meta.db", func(s *Stores) { _ = s.Log.DeleteRange(1, 2) }},
		"read term and vote": {datadir.StableFile, func(s *Stores) { _, _ = s.Stable.GetUint64([]byte("term")) }},
	} {
		t.Run(name, func(t *testing.T) {
			dir, unreadable := t.TempDir(), make(chan error, 1)
			stores, err := Open(dir, Options{Log: quiet.Log, Unreadable: func(err error) { unreadable <- err }})
			require.NoError(t, err)
			require.NoError(t, stores.Log.StoreLogs(entriesOf(1, 1, 5)))
			stores.Disk.Started()
			require.NoError(t, os.Truncate(filepath.Join(dir, damage.file), 0))
			go damage.touch(stores)
			require.ErrorIs(t, within(t, unreadable), model.ErrCorrupt)
			stores.Disk.Close()
			closed := make(chan error, 1)
			go func() { closed <- stores.Close() }()
			require.NoError(t, within(t, closed))
		})
	}
}

func within(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		require.Fail(t, "it never ends")
		return nil
	}
}
