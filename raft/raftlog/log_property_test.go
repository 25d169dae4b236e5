package raftlog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/raft/datadir"
)

const (
	logWriterEnv = "VERSIOND_TEST_LOG_WRITER" // holds the logSummary to go on from
	logWriterDir = "VERSIOND_TEST_LOG_DIR"
	// logLives is how many processes write to the log one after the other; most of them are killed.
	logLives = 20
	// logSteps is how many steps one of them makes at most.
	logSteps = 60
)

func TestMain(m *testing.M) {
	if from := os.Getenv(logWriterEnv); from != "" {
		if err := writeLog(os.Getenv(logWriterDir), from); err != nil {
			fmt.Fprintln(os.Stdout, "failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// logSummary is what decides which steps may come next.
type logSummary struct {
	First, Last, Term, Snapshot, Seed uint64
}

// logStep is one thing that hashicorp/raft does to what a node keeps on disk.
type logStep struct {
	kind      string
	from, to  uint64
	dataBytes int
}

// next returns a step that may follow: no entry under a snapshot is ever replaced, and none above it compacted.
func (s logSummary) next(r *rand.Rand) logStep {
	switch kind := r.IntN(20); {
	case s.Last > s.Snapshot && kind < 3:
		return logStep{kind: "replace", from: max(s.First, s.Snapshot+1) + r.Uint64N(s.Last-max(s.First, s.Snapshot+1)+1), to: s.Last}
	case s.Last > s.Snapshot && kind < 5:
		return logStep{kind: "snapshot", to: max(s.First, s.Snapshot+1) + r.Uint64N(s.Last-max(s.First, s.Snapshot+1)+1)}
	case s.First != 0 && s.First <= s.Snapshot && kind < 8:
		return logStep{kind: "compact", from: s.First, to: s.First + r.Uint64N(min(s.Snapshot, s.Last)-s.First+1)}
	case kind == 8:
		return logStep{kind: "install", to: max(s.Last, s.Snapshot) + 1 + r.Uint64N(50)}
	case kind == 9:
		return logStep{kind: "vote"}
	case kind == 10:
		return logStep{kind: "reopen"}
	}
	step := logStep{kind: "append", from: max(s.Last, s.Snapshot) + 1, dataBytes: 1 + r.IntN(2<<10)}
	if large := r.IntN(8); large < 2 {
		step.dataBytes = []int{256 << 10, 40 << 10}[large]
	}
	step.to = step.from + r.Uint64N(64)
	return step
}

// after returns what follows from a step.
func (s logSummary) after(step logStep) logSummary {
	switch step.kind {
	case "append":
		if s.First == 0 || step.from > s.Last+1 { // what lies before a hole goes
			s.First = step.from
		}
		s.Last = step.to
	case "replace":
		if s.Last = step.from - 1; s.Last < s.First {
			s.First, s.Last = 0, 0
		}
		s.Term++
	case "compact":
		if s.First = step.to + 1; s.First > s.Last {
			s.First, s.Last = 0, 0
		}
	case "install":
		s.Snapshot, s.First, s.Last = step.to, 0, 0
	case "snapshot":
		s.Snapshot = step.to
	case "vote":
		s.Term++
	}
	return s
}

// entryAt returns the only entry that may be at an index in a term.
func entryAt(index, term uint64, dataBytes int) *raft.Log {
	seed := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, index), term)
	return &raft.Log{Index: index, Term: term, Type: raft.LogCommand, Data: bytes.Repeat(seed, dataBytes/len(seed)+1)}
}

// logWriter is the process that is killed.
type logWriter struct {
	dir    *datadir.Dir
	stores *Stores
	now    logSummary
}

func writeLog(path, from string) error {
	w := &logWriter{}
	err := json.Unmarshal([]byte(from), &w.now)
	if err == nil {
		w.dir, err = datadir.Open(path, "node1")
	}
	if err == nil {
		err = w.open()
	}
	random := rand.New(rand.NewPCG(w.now.Seed, 1))
	for range logSteps {
		if err != nil {
			return err
		}
		step := w.now.next(random)
		if err = w.do(step); err == nil {
			w.now = w.now.after(step)
			fmt.Fprintln(os.Stdout, "done")
		}
	}
	if err != nil {
		return err
	}
	return w.stores.Close()
}

func (w *logWriter) open() (err error) {
	segmentBytes := []int{1 << 16, 1 << 20, 16 << 20}[w.now.Seed%3] // a setting, which may be another one at each start
	w.stores, err = Open(w.dir.Path(), Options{Log: quiet.Log, SegmentBytes: segmentBytes})
	return err
}

func (w *logWriter) do(step logStep) error {
	switch step.kind {
	case "append":
		var logs []*raft.Log
		for index := step.from; index <= step.to; index++ {
			logs = append(logs, entryAt(index, w.now.Term, step.dataBytes))
		}
		return w.stores.Log.StoreLogs(logs)
	case "replace":
		if err := w.stores.Stable.SetUint64([]byte("term"), w.now.Term+1); err != nil {
			return err
		}
		return w.stores.Log.DeleteRange(step.from, step.to)
	case "compact":
		return w.stores.Log.DeleteRange(step.from, step.to)
	case "install":
		if err := w.snapshot(step.to); err != nil || w.now.First == 0 {
			return err
		}
		return w.stores.Log.DeleteRange(w.now.First, w.now.Last)
	case "snapshot":
		return w.snapshot(step.to)
	case "vote":
		return w.stores.Stable.SetUint64([]byte("term"), w.now.Term+1)
	}
	if err := w.stores.Close(); err != nil {
		return err
	}
	return w.open()
}

func (w *logWriter) snapshot(index uint64) error {
	term := w.now.Term
	var log raft.Log
	if err := w.stores.Log.GetLog(index, &log); err == nil {
		term = log.Term
	}
	_, transport := raft.NewInmemTransport("")
	sink, err := w.stores.Snapshots.Create(1, index, term, raft.Configuration{}, 1, transport)
	if err != nil {
		return err
	}
	if _, err := sink.Write(bytes.Repeat([]byte{byte(index)}, int(index%5)<<16)); err != nil {
		return err
	}
	return sink.Close()
}

// logState is what must be on disk.
type logState struct {
	logSummary
	terms map[uint64]uint64 // by the index of an entry
}

func (s logState) after(step logStep) logState {
	next := logState{s.logSummary.after(step), maps.Clone(s.terms)}
	maps.DeleteFunc(next.terms, func(index, _ uint64) bool { return index < next.First || index > next.Last })
	for index := step.from; step.kind == "append" && index <= step.to; index++ {
		next.terms[index] = s.Term
	}
	return next
}

// Whatever is done to the log, term, vote and snapshots, and wherever it is killed, the node starts again with the
// checks of damage on, and has everything that was done. If this fails, a sound node is kept from starting, or has
// forgotten what it acknowledged.
func TestLogIsWhatItWasWhereverItsProcessIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node1")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	is := logState{logSummary{Term: 1}, map[uint64]uint64{}}
	for life := range logLives {
		is.Seed = seed + uint64(life)
		killAfter, andAfter := random.IntN(logSteps+20), time.Duration(random.IntN(4000))*time.Microsecond
		if life%5 == 0 {
			killAfter, andAfter = 0, time.Duration(random.IntN(40))*time.Millisecond
		}
		done, said := runLogWriter(t, path, is.logSummary, killAfter, andAfter)
		require.Empty(t, said, "life %d", life)
		steps := rand.New(rand.NewPCG(is.Seed, 1))
		for range done {
			is = is.after(is.next(steps))
		}
		next := is.next(steps)
		is = requireStored(t, path, is, is.after(next), fmt.Sprintf("life %d, killed after %d steps in %+v", life, done, next))
	}
}

// runLogWriter returns how many steps the process made before it was killed, or ended, and what it said else.
func runLogWriter(t *testing.T, path string, from logSummary, killAfter int, andAfter time.Duration) (done int, said string) {
	t.Helper()
	summary, err := json.Marshal(from)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), logWriterEnv+"="+string(summary), logWriterDir+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	kill := func() { time.AfterFunc(andAfter, func() { _ = cmd.Process.Kill() }) }
	if killAfter == 0 { // while it opens what is there
		kill()
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() != "done" {
			said += lines.Text() + "\n"
			continue
		}
		if done++; done == killAfter {
			kill()
		}
	}
	_ = cmd.Wait() // it was killed, or what it said tells
	return done, said
}

// requireStored requires the state before or after the step in which the process was killed, or something between,
// and returns it.
func requireStored(t *testing.T, path string, before, after logState, when string) logState {
	t.Helper()
	w := &logWriter{}
	var err error
	w.dir, err = datadir.Open(path, "node1")
	require.NoError(t, err, when)
	defer func() { require.NoError(t, w.dir.Close()) }()
	require.NoError(t, w.open(), when)
	defer func() { require.NoError(t, w.stores.Close()) }()

	now := logState{terms: map[uint64]uint64{}}
	now.First, err = w.stores.Log.FirstIndex()
	require.NoError(t, err, when)
	now.Last, err = w.stores.Log.LastIndex()
	require.NoError(t, err, when)
	now.Term = max(1, requireNumber(t, w.stores.Stable, "term"))
	require.Contains(t, []uint64{before.Term, after.Term}, now.Term, when)
	now.Snapshot = requireSnapshot(t, w.stores.Snapshots)
	require.Contains(t, []uint64{before.Snapshot, after.Snapshot}, now.Snapshot, when)
	if before.First != 0 && after.First != 0 {
		require.True(t, min(before.First, after.First) <= now.First && now.First <= max(before.First, after.First), "%s: first index %d", when, now.First)
		require.True(t, min(before.Last, after.Last) <= now.Last && now.Last <= max(before.Last, after.Last), "%s: last index %d", when, now.Last)
	}
	if now.First == 0 {
		require.True(t, before.First == 0 || after.First == 0, "%s: the log is empty", when)
		return now
	}
	for index := now.First; index <= now.Last; index++ {
		var log raft.Log
		err := w.stores.Log.GetLog(index, &log)
		if before.terms[index] == 0 && after.terms[index] == 0 { // a snapshot is there, whose log was to be removed
			require.ErrorIs(t, err, raft.ErrLogNotFound, when)
			continue
		}
		require.NoError(t, err, when)
		require.Contains(t, []uint64{before.terms[index], after.terms[index]}, log.Term, when)
		require.True(t, bytes.Equal(entryAt(index, log.Term, len(log.Data)-16).Data, log.Data), "%s: entry %d", when, index)
		now.terms[index] = log.Term
	}
	return now
}

func requireNumber(t *testing.T, stable raft.StableStore, key string) uint64 {
	t.Helper()
	value, err := stable.Get([]byte(key))
	if err != nil && err.Error() == "not found" {
		return 0
	}
	require.NoError(t, err)
	return binary.BigEndian.Uint64(value)
}

// requireSnapshot reads the newest snapshot and returns its index, 0 when there is none.
func requireSnapshot(t *testing.T, snapshots raft.SnapshotStore) uint64 {
	t.Helper()
	metas, err := snapshots.List()
	require.NoError(t, err)
	if len(metas) == 0 {
		return 0
	}
	_, stream, err := snapshots.Open(metas[0].ID)
	require.NoError(t, err)
	content, err := io.ReadAll(stream)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	require.True(t, bytes.Equal(bytes.Repeat([]byte{byte(metas[0].Index)}, int(metas[0].Index%5)<<16), content))
	return metas[0].Index
}
