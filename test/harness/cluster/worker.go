package cluster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"versiond/model"
)

// pastMax is how many former states of a record a worker remembers.
const pastMax = 64

// worker is one client that does one request after the other.
type worker struct {
	load    *Load
	ledger  *Ledger
	options LoadOptions
	turn    int // moves with each request that goes anywhere
	number  int
	at      int   // where a settled worker is
	settled int64 // the load's resumes when it settled there
	name    string
	random  *rand.Rand
	writes  int
	records map[string]*owned
	retired map[int]int // how many ids of a slot were left because an answer was missing
	// newest is the highest revision that this worker was given: a write that begins later gets a
	// higher one.
	newest uint64
	// index reflects all that this worker was acknowledged.
	index uint64
}

// owned is a record that only one worker writes.
type owned struct {
	id  string
	now *model.VersionDB // nil while it does not exist
	// since is an index that reflects now.
	since uint64
	// past are former states that existed, the newest last.
	past []model.VersionDB
	// answered is false after a write whose outcome is not known.
	answered bool
}

func newWorker(l *Load, number int, options LoadOptions) *worker {
	return &worker{load: l, ledger: l.ledger, options: options, turn: number, number: number, at: number, name: fmt.Sprintf("%s-%d", options.Prefix, number),
		random: rand.New(rand.NewPCG(uint64(number), 1)), records: map[string]*owned{}, retired: map[int]int{}}
}

// run takes records through their lives until the context ends.
func (w *worker) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil && (w.options.Records > 0 || w.writes < writesMax); n++ {
		w.live(ctx, w.record(n))
	}
}

// record returns a new one, or one of those that the worker keeps to. A slot whose last write was not
// answered goes on under another id, as the write may still come.
func (w *worker) record(n int) *owned {
	if w.options.Records == 0 {
		return &owned{id: fmt.Sprintf("%s-%05d", w.name, n), answered: true}
	}
	slot := n % w.options.Records
	id := func() string { return fmt.Sprintf("%s-%05d.%d", w.name, slot, w.retired[slot]) }
	if r := w.records[id()]; r != nil && !r.answered {
		delete(w.records, id())
		w.retired[slot]++
	}
	if w.records[id()] == nil {
		w.records[id()] = &owned{id: id(), answered: true}
	}
	return w.records[id()]
}

// live creates a record, and perhaps updates it some times, deletes it and creates it again. It leaves
// it as soon as an answer is missing.
func (w *worker) live(ctx context.Context, r *owned) {
	for _, step := range w.plan(r) {
		if step(ctx, r); !r.answered || ctx.Err() != nil {
			return
		}
		if w.random.IntN(3) == 0 {
			w.read(ctx, r)
		}
		w.rest(ctx, w.options.Pause)
	}
}

// A step writes once.
type step func(ctx context.Context, r *owned)

func (w *worker) plan(r *owned) []step {
	plan := []step{w.create}
	if r.now != nil {
		plan[0] = w.update
	}
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

func (w *worker) create(ctx context.Context, r *owned) {
	want := w.content(r.id)
	w.write(ctx, r, &want, func(ctx context.Context, c *Client) (model.Result, error) {
		return c.Add(ctx, want)
	})
}

func (w *worker) update(ctx context.Context, r *owned) {
	if w.random.IntN(4) == 0 {
		w.tryStale(ctx, *r.now)
	}
	want, before := w.content(r.id), r.now.Revision
	w.write(ctx, r, &want, func(ctx context.Context, c *Client) (model.Result, error) {
		return c.Update(ctx, want, w.maybe(before))
	})
}

func (w *worker) remove(ctx context.Context, r *owned) {
	before := r.now.Revision
	w.write(ctx, r, nil, func(ctx context.Context, c *Client) (result model.Result, err error) {
		result.Index, err = c.Delete(ctx, r.id, w.maybe(before))
		return result, err
	})
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
	w.load.gate.RLock()
	defer w.load.gate.RUnlock()
	_, err := w.home().Update(ctx, model.VersionDB{ID: record.ID, VersionNo: "stale", Platform: "stale"}, record.Revision-1)
	if err == nil {
		w.ledger.violate(Wrong, "%q: an update of revision %d was done at revision %d", record.ID, record.Revision-1, record.Revision)
	}
}

func (w *worker) content(id string) model.VersionDB {
	w.writes++
	return model.VersionDB{ID: id, VersionNo: fmt.Sprintf("1.%d", w.writes), Platform: []string{"linux", "darwin", "windows"}[w.writes%3]}
}

// reading returns the node for a read: the next one, but for every other settled worker its own, or those
// that do not answer would soon hold up every worker with a read.
func (w *worker) reading() *Client {
	if w.options.Settled && w.number%2 == 1 {
		return w.home()
	}
	return w.next()
}

// next returns the node for a request that may go to any.
func (w *worker) next() *Client {
	clients := *w.load.clients.Load()
	w.turn++
	return clients[w.turn%len(clients)]
}

// home returns the node for a write.
func (w *worker) home() *Client {
	if !w.options.Settled {
		return w.next()
	}
	if resumes := w.load.resumes.Load(); w.settled != resumes {
		w.settled, w.at = resumes, w.number
	}
	if w.random.IntN(settledWrites) == 0 {
		w.at = w.random.IntN(math.MaxInt)
	}
	clients := *w.load.clients.Load()
	return clients[w.at%len(clients)]
}

// writing is one try of a write on one node.
type writing func(ctx context.Context, c *Client) (model.Result, error)

// write does one write, again and again on the next node while the cluster takes none, and files how
// it ended. want is the record that it makes, nil for a delete.
func (w *worker) write(ctx context.Context, r *owned, want *model.VersionDB, do writing) {
	for ctx.Err() == nil && !w.once(ctx, r, want, do) {
		w.rest(ctx, refusedPause)
	}
}

// once does a write once, and reports whether that ended it. A pause of the load waits until it is filed.
func (w *worker) once(ctx context.Context, r *owned, want *model.VersionDB, do writing) (ended bool) {
	w.load.gate.RLock()
	defer w.load.gate.RUnlock()
	result, err := w.send(ctx, do)
	w.index = max(w.index, result.Index)
	switch {
	case err == nil:
		w.ledger.noteAcknowledged()
		w.accept(r, want, result)
	case Unknown(err):
		r.answered = false
		w.ledger.noteUnknown(r.id, want)
	case !passing(err):
		r.answered = false
		w.ledger.violate(Wrong, "%q: a write that nothing stands in the way of ended in: %v", r.id, err)
	default:
		w.ledger.noteRefused()
		return false
	}
	return true
}

// send outlives a stop of the load: a write on its way is not given up.
func (w *worker) send(ctx context.Context, do writing) (model.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	node := w.home()
	result, err := do(ctx, node)
	if err != nil {
		w.at++
		w.ledger.noteFailure(node, err)
	}
	return result, err
}

func (w *worker) accept(r *owned, want *model.VersionDB, result model.Result) {
	if r.now != nil {
		r.past = append(r.past, *r.now)
		r.past = r.past[max(0, len(r.past)-pastMax):]
	}
	r.now, r.since = nil, result.Index
	if want != nil {
		got := result.Record
		want.Revision = got.Revision
		if got != *want || got.Revision <= w.newest {
			w.ledger.violate(Wrong, "%q: answered %+v for %+v, after revision %d", r.id, got, *want, w.newest)
		}
		w.newest = max(w.newest, got.Revision)
		r.now = &got
	}
	w.ledger.note(r.id, r.now, result.Index)
}

// read reads, at any level, what this worker, the only one that writes there, wrote last.
func (w *worker) read(ctx context.Context, r *owned) {
	w.load.gate.RLock()
	defer w.load.gate.RUnlock()
	ways := append(Levels(w.index), model.ReadOptions{Level: model.LevelNone})
	opts := ways[w.random.IntN(len(ways))]
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	result, err := w.reading().Get(ctx, r.id, opts)
	if err != nil && CodeOf(err) != "not_found" {
		return
	}
	w.ledger.noteRead()
	got := &result.Record
	if err != nil {
		got = nil
	}
	if kind := r.judge(got, opts, result.Index); kind != "" {
		w.ledger.violate(kind, "%q: read %s at %+v, labelled %d, after %s was acknowledged at %d", r.id, &state{record: got}, opts, result.Index, &state{record: r.now}, r.since)
	}
}

// judge returns what is wrong with what was read at a level, "" when it is right. A weak level may give a
// former state, but none that the answer's own label says to be over, and none that never was.
func (r *owned) judge(got *model.VersionDB, opts model.ReadOptions, label uint64) Kind {
	switch {
	case got == nil && r.now == nil, got != nil && r.now != nil && *got == *r.now:
		return ""
	case opts.Level == model.LevelLinearizable, opts.MinIndex >= r.since && opts.MinIndex != 0, label >= r.since:
		return Stale
	case got == nil, slices.Contains(r.past, *got):
		return ""
	case len(r.past) == pastMax && got.Revision < r.past[0].Revision:
		return "" // older than what we remember
	}
	return Wrong
}

// passing reports whether a refusal promises that nothing was done, and will be over some time.
func passing(err error) bool {
	switch CodeOf(err) {
	case "no_leader", "store_unavailable", "not_caught_up", "node_removed", "too_many_requests":
		return true
	case "":
		return true // no connection: Unknown has dealt with the other cases
	}
	return false
}

func (w *worker) rest(ctx context.Context, pause time.Duration) {
	if pause == 0 {
		return
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}
