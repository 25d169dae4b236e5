package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// writesMax bounds what one worker does, however long it is let run.
	writesMax = 20_000
	// refusedPause keeps workers from spinning while the cluster takes no writes.
	refusedPause = 20 * time.Millisecond
	writeTimeout = 8 * time.Second
	// readTimeout is short: a read that is given up costs nothing.
	readTimeout = 2 * time.Second
	// settledWrites is how many writes a settled worker makes on one node, on average.
	settledWrites = 200
)

// LoadOptions set what a load does.
type LoadOptions struct {
	// Prefix begins the ids of all records, so that several loads on one cluster keep apart.
	Prefix string
	// Workers is how many clients write side by side.
	Workers int
	// Records is how many records each worker takes through their lives over and over; 0 makes it take
	// ever new ones, and stop after writesMax writes.
	Records int
	// Pause is how long each worker rests between two writes.
	Pause time.Duration
	// Settled workers write to one node for as long as it takes what they send, and every other one reads
	// there too, so that a node that does not answer holds up only some of them; otherwise each request
	// goes to the next node.
	Settled bool
	// Batchers is how many further clients write Records records each, as large as they may be, many in a request.
	Batchers int
	// BatchMax is how many records a request has at most, and a seventh of it how many at least; 0 is as many as the API takes of
	// records as large.
	BatchMax int
	// BatchPause is how long each of these rests between two requests.
	BatchPause time.Duration
}

// Load is a number of workers that write to a cluster, and read what they wrote, until they are stopped.
type Load struct {
	ledger  *Ledger
	clients atomic.Pointer[[]*Client]
	gate    sync.RWMutex // requests hold it shared: who has it alone has stopped them
	paused  bool
	resumes atomic.Int64
	stop    context.CancelFunc
	wg      sync.WaitGroup
}

// StartLoad has workers create, update and delete records, each its own, on the nodes in turn. The
// prefix keeps the ids of several loads on one cluster apart.
func StartLoad(t testing.TB, c *Cluster, prefix string, workers int) *Load {
	return StartLoadWith(t, c, LoadOptions{Prefix: prefix, Workers: workers})
}

// StartLoadWith starts a load that does what the options say.
func StartLoadWith(t testing.TB, c *Cluster, options LoadOptions) *Load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &Load{ledger: newLedger(), stop: cancel}
	l.Use(c.Clients())
	for i := range options.Workers {
		w := newWorker(l, i, options)
		l.wg.Go(func() { w.run(ctx) })
	}
	for i := range options.Batchers {
		b := newBatcher(l, options.Workers+i, options)
		l.wg.Go(func() { b.run(ctx) })
	}
	t.Cleanup(func() { l.Stop() })
	return l
}

// Use makes the workers ask these nodes from now on.
func (l *Load) Use(clients []*Client) { l.clients.Store(&clients) }

// Stop lets the workers finish the write that they are at, and returns what they were told.
func (l *Load) Stop() *Ledger {
	l.stop()
	if l.paused {
		l.Resume()
	}
	l.wg.Wait()
	return l.ledger
}

// Pause waits until no worker has a request on its way, and lets none begin before Resume. It returns
// what they were told.
func (l *Load) Pause() *Ledger {
	l.gate.Lock()
	l.paused = true
	return l.ledger
}

// Resume ends a pause. The gaps between writes are counted anew, and settled workers spread over the nodes: a
// node that was the only one for a while has all of them.
func (l *Load) Resume() {
	l.ledger.restartGap()
	l.resumes.Add(1)
	l.paused = false
	l.gate.Unlock()
}

// Counts returns what came of the requests so far.
func (l *Load) Counts() Counts { return l.ledger.now() }

// WhyGap returns what became of writes in the longest gap.
func (l *Load) WhyGap() string { return l.ledger.whyGap() }

// Await waits until this many more writes are acknowledged; the test fails after timeout.
func (l *Load) Await(t testing.TB, writes int, timeout time.Duration) {
	t.Helper()
	until := l.Counts().Acknowledged + writes
	Eventually(t, timeout, fmt.Sprintf("%d more writes", writes), func() error {
		if n := l.Counts().Acknowledged; n < until {
			return fmt.Errorf("%d are missing; %s", until-n, l.ledger.why())
		}
		return nil
	})
}

// Mark begins a wait for AwaitMarked.
func (l *Load) Mark() { l.ledger.setMark() }

// AwaitMarked returns how long after Mark the first write was acknowledged; the test fails after timeout.
func (l *Load) AwaitMarked(t testing.TB, timeout time.Duration) (after time.Duration) {
	t.Helper()
	Eventually(t, timeout, "the first write since a quorum is back", func() error {
		if after = l.ledger.sinceMark(); after == 0 {
			return fmt.Errorf("none was acknowledged; %s", l.ledger.why())
		}
		return nil
	})
	return after
}
