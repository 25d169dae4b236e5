package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func textFormat(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }

// hourOf hands a line to the handler twice a second for an hour.
func hourOf(t *testing.T, handler slog.Handler, began time.Time, message string, attrs ...slog.Attr) {
	t.Helper()
	for i := range 7200 {
		line := slog.NewRecord(began.Add(time.Duration(i)*500*time.Millisecond), slog.LevelError, message, 0)
		line.AddAttrs(attrs...)
		require.NoError(t, handler.Handle(context.Background(), line))
	}
}

// An hour of the same fault must not bury everything else, and not be forgotten either: it is said at once,
// then less and less often, with how often it came.
func TestWhatRepeatsIsSaidAtIntervals(t *testing.T) {
	var out bytes.Buffer
	log := Calm(slog.New(textFormat(&out)).With("node", "node1"))
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hourOf(t, log.Handler(), began, "no leader", slog.String("err", "refused"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 9, "at 0, 1, 3, 7, 15, 25, 35, 45 and 55 minutes")
	require.NotContains(t, lines[0], "repeated")
	require.Contains(t, lines[1], "repeated=119")

	out.Reset()
	hourOf(t, log.Handler(), began.Add(2*time.Hour), "no leader")
	require.NotContains(t, strings.Split(out.String(), "\n")[0], "repeated", "a new fault is said at once")
}

// Two members that do not answer are two faults; a lower level is left alone.
func TestOnlyTheSameIsARepetition(t *testing.T) {
	var out bytes.Buffer
	log := Calm(slog.New(textFormat(&out)))
	for range 3 {
		log.Warn("does not answer", "id", "node2", "err", errors.New("a"))
		log.Warn("does not answer", "id", "node3", "err", errors.New("b"))
		log.With("node", "node4").Warn("does not answer", "id", "node3")
		log.Info("answers")
	}
	require.Equal(t, 6, strings.Count(out.String(), "\n"), out.String())
}

// stuck is a terminal that was stopped: it takes nothing until it is released.
type stuck struct {
	release chan struct{}
	out     bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.release
	return s.out.Write(p)
}

// A log that nobody reads must not hold up those who write it, and say afterwards what is missing.
func TestReaderThatHangsHoldsUpNobody(t *testing.T) {
	out := &stuck{release: make(chan struct{})}
	w := NewWriter(out, textFormat)
	log := slog.New(textFormat(w))
	for range linesMax + 100 {
		log.Info("one of many")
	}
	close(out.release)
	Close(w)
	require.Contains(t, out.out.String(), "lines of this log were lost")
	require.GreaterOrEqual(t, strings.Count(out.out.String(), "one of many"), linesMax)
}

type broken struct{ out bytes.Buffer }

func (b *broken) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "lost") {
		return 0, errors.New("broken pipe")
	}
	return b.out.Write(p)
}

// What was written before the end must be there at the end, and an error of the writer ends nothing.
func TestCloseFlushes(t *testing.T) {
	out := &broken{}
	w := NewWriter(out, textFormat)
	for _, line := range []string{"one\n", "is lost\n", "two\n"} {
		n, err := w.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	Close(w)
	Close(w)
	require.Equal(t, "one\ntwo\n", out.out.String())
}

// standsStill is a disk that takes nothing for a while.
type standsStill struct {
	out  bytes.Buffer
	once sync.Once
}

func (s *standsStill) Write(p []byte) (int, error) {
	s.once.Do(func() { <-time.After(2 * time.Second) })
	return s.out.Write(p)
}

// The last lines must not be lost because the disk of the log stood still for a moment while the program ended.
func TestCloseWaitsForADiskThatStandsStill(t *testing.T) {
	out := &standsStill{}
	w := NewWriter(out, textFormat)
	_, err := w.Write([]byte("stopped\n"))
	require.NoError(t, err)
	Close(w)
	require.Equal(t, "stopped\n", out.out.String())
}
