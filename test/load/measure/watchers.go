package measure

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// watchTimeout bounds the opening of watchers, and the wait for the last changes.
	watchTimeout = 20 * time.Second
	watchPoll    = 5 * time.Millisecond
	// eventBytes is room for one event of the records that are written here.
	eventBytes = 1 << 10
)

// Watch describes what watchers follow, at every node of a versiond.
type Watch struct {
	// PerNode is how many watchers each node has. The i-th of them follows the ids that begin with Prefix(i).
	PerNode int
	Prefix  func(i int) string
	// Seen is told at which node and of which id a change was read; it may be nil, and has to be quick.
	Seen func(node int, id string)
}

// Watchers are clients that watch, each over a connection of its own. They are written to cost little: one goroutine each,
// which reads lines and looks for the id in them.
type Watchers struct {
	watch Watch
	wg    sync.WaitGroup

	mu      sync.Mutex
	conns   []net.Conn
	told    int
	stopped bool
	failed  error
}

// Start opens the watchers. It returns when every one watches.
func (w Watch) Start(ctx context.Context, s *System) (*Watchers, error) {
	opening, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	all := &Watchers{watch: w}
	var nodes errgroup.Group
	for node, server := range s.Nodes {
		nodes.Go(func() error { return all.open(opening, node, server.Address) })
	}
	if err := nodes.Wait(); err != nil {
		return nil, errors.Join(err, all.Stop())
	}
	return all, nil
}

func (w *Watchers) open(ctx context.Context, node int, address string) error {
	for i := range w.watch.PerNode {
		events, err := w.dialPatiently(ctx, address, w.watch.Prefix(i))
		if err != nil {
			return fmt.Errorf("watcher %d of %s: %w", i, address, err)
		}
		w.wg.Go(func() { w.follow(node, events) })
	}
	return nil
}

// errBusy is returned of a node that takes no watcher yet.
var errBusy = errors.New("no watcher is taken")

// dialPatiently asks again where a node has just started and keeps no changes yet, or has not seen yet that the watchers
// of before are gone.
func (w *Watchers) dialPatiently(ctx context.Context, address, prefix string) (*bufio.Reader, error) {
	for {
		events, err := w.dial(ctx, address, prefix)
		if !errors.Is(err, errBusy) {
			return events, err
		}
		select {
		case <-time.After(watchPoll):
		case <-ctx.Done():
			return nil, err // and not that the next connection came too late
		}
	}
}

// dial begins to watch, and returns the lines of events.
func (w *Watchers) dial(ctx context.Context, address, prefix string) (*bufio.Reader, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.conns = append(w.conns, conn)
	w.mu.Unlock()
	c := &httpClient{conn: conn, answers: bufio.NewReaderSize(conn, eventBytes), host: address}
	if err := c.send(http.MethodGet, "/version/watch?level=none&prefix="+url.QueryEscape(prefix), nil); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err == nil && answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // of no interest
		err = errors.New(answer.Status)
		if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable {
			err = fmt.Errorf("%w: %s", errBusy, answer.Status)
		}
	}
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(answer.Body, eventBytes), nil // the body ends with the connection
}

func (w *Watchers) follow(node int, events *bufio.Reader) {
	for {
		line, err := events.ReadSlice('\n')
		if err != nil {
			w.end(err)
			return
		}
		if id := idIn(line); id != nil {
			w.note(node, id)
		}
	}
}

// idIn returns the id in the line of a change; other lines have none.
func idIn(line []byte) []byte {
	const before = `"id":"`
	_, rest, found := bytes.Cut(line, []byte(before))
	id, _, whole := bytes.Cut(rest, []byte{'"'})
	if !found || !whole {
		return nil
	}
	return id
}

func (w *Watchers) note(node int, id []byte) {
	if w.watch.Seen != nil {
		w.watch.Seen(node, string(id))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told++
}

func (w *Watchers) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.failed = errors.Join(w.failed, fmt.Errorf("a watcher's stream ended: %w", err))
	}
}

// Await waits until the watchers were told of so many changes.
func (w *Watchers) Await(ctx context.Context, changes int) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	for {
		w.mu.Lock()
		told, failed := w.told, w.failed
		w.mu.Unlock()
		if failed != nil || told >= changes {
			return failed
		}
		select {
		case <-time.After(watchPoll):
		case <-ctx.Done():
			return fmt.Errorf("watchers were told of %d changes instead of %d", told, changes)
		}
	}
}

// Stop ends the watchers, and returns why any ended before.
func (w *Watchers) Stop() error {
	w.mu.Lock()
	w.stopped = true
	conns, failed := slices.Clone(w.conns), w.failed
	w.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close() // nothing is on its way that anybody waits for
	}
	w.wg.Wait()
	return failed
}
