package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"versiond/model"
)

const (
	// writesMax bounds what one worker does, however long it is let run.
	writesMax = 20_000
	// refusedPause keeps workers from spinning while the cluster takes no writes.
	refusedPause = 20 * time.Millisecond
	writeTimeout = 8 * time.Second
)

// Load is a number of workers that write to a cluster until they are stopped.
type Load struct {
	ledger *Ledger
	stop   context.CancelFunc
	wg     sync.WaitGroup
}

// StartLoad has workers create, update and delete records, each its own, on the nodes in turn. The
// prefix keeps the ids of several loads on one cluster apart.
func StartLoad(t testing.TB, c *Cluster, prefix string, workers int) *Load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &Load{ledger: newLedger(), stop: cancel}
	for i := range workers {
		w := &worker{ledger: l.ledger, clients: c.Clients(), turn: i, name: fmt.Sprintf("%s-%d", prefix, i), random: rand.New(rand.NewPCG(uint64(i), 1))}
		l.wg.Go(func() { w.run(ctx) })
	}
	t.Cleanup(func() { cancel(); l.wg.Wait() })
	return l
}

// Stop lets the workers finish the write that they are at, and gives what they were told.
func (l *Load) Stop() *Ledger {
	l.stop()
	l.wg.Wait()
	return l.ledger
}

// Await waits until this many more writes are acknowledged; the test fails after timeout.
func (l *Load) Await(t testing.TB, writes int, timeout time.Duration) {
	t.Helper()
	until := l.ledger.acknowledged() + writes
	Eventually(t, timeout, fmt.Sprintf("%d more writes", writes), func() error {
		if n := l.ledger.acknowledged(); n < until {
			return fmt.Errorf("%d are missing", until-n)
		}
		return nil
	})
}

// worker is one client that does one write after the other.
type worker struct {
	ledger  *Ledger
	clients []*Client
	turn    int
	name    string
	random  *rand.Rand
	writes  int
	// newest is the highest revision that this worker was given: a write that begins later gets a
	// higher one.
	newest uint64
	// index reflects all that this worker was acknowledged.
	index uint64
}

// run takes records through their lives until the context ends.
func (w *worker) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil && w.writes < writesMax; n++ {
		w.live(ctx, fmt.Sprintf("%s-%05d", w.name, n))
	}
}

// live creates a record, and perhaps updates it some times, deletes it and creates it again. It leaves
// it as soon as an answer is missing.
func (w *worker) live(ctx context.Context, id string) {
	var record *model.VersionDB
	for _, step := range w.plan() {
		var known bool
		if record, known = step(ctx, id, record); !known {
			return
		}
		if w.random.IntN(3) == 0 {
			w.read(ctx, id, record)
		}
	}
}

// A step writes once, and gives what the record is then and whether that is known.
type step func(ctx context.Context, id string, before *model.VersionDB) (after *model.VersionDB, known bool)

func (w *worker) plan() []step {
	plan := []step{w.create}
	for range w.random.IntN(4) {
		plan = append(plan, w.update)
	}
	if w.random.IntN(3) == 0 {
		plan = append(plan, w.remove)
		if w.random.IntN(2) == 0 {
			plan = append(plan, w.create, w.update)
		}
	}
	return plan
}

func (w *worker) create(ctx context.Context, id string, before *model.VersionDB) (*model.VersionDB, bool) {
	want := w.content(id)
	return w.write(ctx, id, &want, func(ctx context.Context, c *Client) (model.Result, error) {
		return c.Add(ctx, want)
	})
}

func (w *worker) update(ctx context.Context, id string, before *model.VersionDB) (*model.VersionDB, bool) {
	if w.random.IntN(4) == 0 {
		w.tryStale(ctx, *before)
	}
	want := w.content(id)
	return w.write(ctx, id, &want, func(ctx context.Context, c *Client) (model.Result, error) {
		return c.Update(ctx, want, w.maybe(before.Revision))
	})
}

func (w *worker) remove(ctx context.Context, id string, before *model.VersionDB) (*model.VersionDB, bool) {
	return w.write(ctx, id, nil, func(ctx context.Context, c *Client) (result model.Result, err error) {
		result.Index, err = c.Delete(ctx, id, w.maybe(before.Revision))
		return result, err
	})
}

// read reads on the next node what this worker, the only one that writes there, wrote last.
func (w *worker) read(ctx context.Context, id string, want *model.VersionDB) {
	opts := Levels(w.index)[2*w.random.IntN(2)] // not LevelLeader: a leader that was replaced may not know it
	result, err := w.next().Get(ctx, id, opts)
	switch {
	case err == nil && (want == nil || result.Record != *want):
		w.ledger.violate("%q: read %+v at %q after %v was acknowledged", id, result.Record, opts.Level, &state{record: want})
	case CodeOf(err) == "not_found" && want != nil:
		w.ledger.violate("%q: not found at %q after %+v was acknowledged", id, opts.Level, *want)
	}
}

// maybe makes half of the writes conditional on what the worker knows to be there.
func (w *worker) maybe(revision uint64) uint64 {
	if w.random.IntN(2) == 0 {
		return 0
	}
	return revision
}

// tryStale makes an update that depends on a revision of the past, which must be refused.
func (w *worker) tryStale(ctx context.Context, record model.VersionDB) {
	_, err := w.next().Update(ctx, model.VersionDB{ID: record.ID, VersionNo: "stale", Platform: "stale"}, record.Revision-1)
	if err == nil {
		w.ledger.violate("%q: an update of revision %d was done at revision %d", record.ID, record.Revision-1, record.Revision)
	}
}

func (w *worker) content(id string) model.VersionDB {
	w.writes++
	return model.VersionDB{ID: id, VersionNo: fmt.Sprintf("1.%d", w.writes), Platform: []string{"linux", "darwin", "windows"}[w.writes%3]}
}

func (w *worker) next() *Client {
	w.turn++
	return w.clients[w.turn%len(w.clients)]
}

// writing is one try of a write on one node.
type writing func(ctx context.Context, c *Client) (model.Result, error)

// write does one write, again and again on the next node while the cluster takes none, and files how
// it ended. want is the record that it makes, nil for a delete.
func (w *worker) write(ctx context.Context, id string, want *model.VersionDB, do writing) (*model.VersionDB, bool) {
	for ctx.Err() == nil {
		result, err := w.once(ctx, do)
		w.index = max(w.index, result.Index)
		switch {
		case err == nil && want == nil:
			w.ledger.note(id, nil)
			return nil, true
		case err == nil:
			return w.accept(id, *want, result.Record), true
		case Unknown(err):
			w.ledger.noteUnknown(id, want)
			return nil, false
		case !passing(err):
			w.ledger.violate("%q: a write that nothing stands in the way of ended in: %v", id, err)
			return nil, false
		}
		w.ledger.noteRefused()
		w.pause(ctx)
	}
	return nil, false
}

// once outlives a stop of the load: a write on its way is not given up.
func (w *worker) once(ctx context.Context, do writing) (model.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return do(ctx, w.next())
}

func (w *worker) accept(id string, want, got model.VersionDB) *model.VersionDB {
	want.Revision = got.Revision
	if got != want || got.Revision <= w.newest {
		w.ledger.violate("%q: answered %+v for %+v, after revision %d", id, got, want, w.newest)
	}
	w.newest = max(w.newest, got.Revision)
	w.ledger.note(id, &got)
	return &got
}

// passing tells refusals that promise that nothing was done and will be over some time.
func passing(err error) bool {
	switch CodeOf(err) {
	case "no_leader", "store_unavailable", "not_caught_up", "node_removed", "too_many_requests":
		return true
	case "":
		return true // no connection: Unknown has dealt with the other cases
	}
	return false
}

func (w *worker) pause(ctx context.Context) {
	select {
	case <-time.After(refusedPause):
	case <-ctx.Done():
	}
}
