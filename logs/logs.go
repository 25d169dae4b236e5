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
	// flushTimeout is how long a program that ends waits for the readers of its log. A disk may stand still for some
	// seconds, and the last line says that the program has stopped.
	flushTimeout = 5 * time.Second
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

// Close waits until what was written to these has been passed on, or for five seconds. Lines that come later are lost.
func Close(writers ...*Writer) {
	for _, w := range writers {
		w.closing.Do(func() { close(w.closed) })
	}
	late := time.After(flushTimeout)
	for _, w := range writers {
		select {
		case <-w.done:
		case <-late:
			return
		}
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
