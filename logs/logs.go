// Package logs keeps the log readable, and keeps it from holding up the program: what repeats is said at
// intervals, and a reader that is slow or gone costs lines, never a write.
package logs

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	linesMax = 4096
	// flushTimeout is how long a program that ends waits for the reader of its log.
	flushTimeout = time.Second
)

// Writer passes what is written on to another writer, and never waits for it: a terminal that was stopped
// or a pipe that nobody reads would otherwise hold up every goroutine that has something to say.
type Writer struct {
	out    io.Writer
	format func(io.Writer) slog.Handler
	lines  chan []byte
	lost   atomic.Int64

	closing sync.Once
	closed  chan struct{}
	done    chan struct{}
}

// NewWriter passes lines on to out until Close. How many were lost is said there in a line of that format.
func NewWriter(out io.Writer, format func(io.Writer) slog.Handler) *Writer {
	w := &Writer{out: out, format: format, lines: make(chan []byte, linesMax), closed: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Write takes one line, or drops it when too many wait.
func (w *Writer) Write(line []byte) (int, error) {
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.lost.Add(1)
	}
	return len(line), nil
}

// Close waits until what was written has been passed on, or for a second. Lines that come later are lost.
func (w *Writer) Close() {
	w.closing.Do(func() { close(w.closed) })
	select {
	case <-w.done:
	case <-time.After(flushTimeout):
	}
}

func (w *Writer) run() {
	defer close(w.done)
	for {
		select {
		case line := <-w.lines:
			w.pass(line)
		case <-w.closed:
			w.flush()
			return
		}
	}
}

func (w *Writer) flush() {
	for {
		select {
		case line := <-w.lines:
			w.pass(line)
		default:
			return
		}
	}
}

// pass leaves errors of the writer be: there is nobody else to tell.
func (w *Writer) pass(line []byte) {
	if _, err := w.out.Write(line); err != nil {
		return
	}
	if lost := w.lost.Swap(0); lost > 0 {
		slog.New(w.format(w.out)).Warn("lines of this log were lost: nobody read it in time", "lines", lost)
	}
}
