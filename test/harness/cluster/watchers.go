package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"versiond/model"
)

const (
	// watchMax is how long a watcher stays with a node at most; a second is enough to meet every fault, and it comes soon to
	// where the cluster is.
	watchMax = time.Second
	// watchPause keeps watchers from spinning while a node does not take them.
	watchPause = 20 * time.Millisecond
	// seenTimeout bounds the wait for the last of them.
	seenTimeout = 30 * time.Second
)

// Watchers follow what is written to a cluster, each at one node after the other, from where it was.
type Watchers struct {
	all  []*watcher
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// watcher has seen every change of its filter between where it began and where it is, but for those of which it was told
// that they are gone.
type watcher struct {
	prefix, platform string
	clients          []*Client
	random           *rand.Rand

	mu           sync.Mutex
	began, place uint64
	gone         []revisions
	seen         []Event
	// How the last stream ended, and whose it was.
	lastNode *Client
	lastErr  error
	lastEnd  time.Time
}

// revisions are those above from, up to to.
type revisions struct{ from, to uint64 }

func (r revisions) has(revision uint64) bool { return revision > r.from && revision <= r.to }

// StartWatchers starts a watcher for each pair of a prefix and a platform, of which each may be empty.
func StartWatchers(t testing.TB, clients []*Client, filters ...[2]string) *Watchers {
	ctx, cancel := context.WithCancel(t.Context())
	w := &Watchers{stop: cancel}
	for i, filter := range filters {
		each := &watcher{prefix: filter[0], platform: filter[1], clients: clients, random: rand.New(rand.NewPCG(uint64(i), 3))}
		w.all = append(w.all, each)
		w.wg.Go(func() { each.run(ctx) })
	}
	t.Cleanup(func() { w.stop(); w.wg.Wait() })
	return w
}

func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.watch(ctx, w.clients[w.random.IntN(len(w.clients))]); err != nil {
			select {
			case <-time.After(watchPause):
			case <-ctx.Done():
			}
		}
	}
}

// watch stays with a node for a while.
func (w *watcher) watch(ctx context.Context, c *Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(1+w.random.Int64N(int64(watchMax))))
	defer cancel()
	err := c.Watch(ctx, w.query(), func(e Event) bool {
		w.note(e)
		return ctx.Err() == nil
	})
	var problem *Problem
	if errors.As(err, &problem) && problem.Code == "revision_gone" {
		w.note(Event{Type: "error", Code: problem.Code, Revision: problem.OldestRevision})
	}
	w.ended(c, err)
	return err
}

func (w *watcher) ended(c *Client, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastNode, w.lastErr, w.lastEnd = c, err, time.Now()
}

func (w *watcher) query() url.Values {
	w.mu.Lock()
	defer w.mu.Unlock()
	query := url.Values{"since": {"now"}}
	if w.place > 0 {
		query.Set("since", strconv.FormatUint(w.place, 10))
	}
	if w.prefix != "" {
		query.Set("prefix", w.prefix)
	}
	if w.platform != "" {
		query.Set("platform", w.platform)
	}
	return query
}

func (w *watcher) note(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case e.Type == "error" && e.Code == "revision_gone" && e.Revision > 0:
		w.gone = append(w.gone, revisions{w.place, e.Revision})
		w.place = e.Revision
		return
	case e.Type == "error":
		return
	case e.Type != "bookmark":
		w.seen = append(w.seen, e)
	case w.place == 0:
		w.began = e.Revision
	}
	w.place = max(w.place, e.Revision)
}

// RequireAllSeen waits until every watcher is where the log is, and requires that each has seen every change of its filter
// exactly once and in order, or was told that it is gone. It returns how many they have seen since it was called last, and how often
// they were told that some are gone. Nobody may write meanwhile, and db is level with the log.
func (ws *Watchers) RequireAllSeen(t testing.TB, db Database) (seen, gone int) {
	t.Helper()
	contents, err := db.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	least := model.Revision(contents.State.Applied.Index, 0)
	for _, w := range ws.all {
		Eventually(t, seenTimeout, fmt.Sprintf("a watcher of %q on %q is to see all", w.prefix, w.platform), func() error {
			return w.behind(least)
		})
		var want []string
		err := db.EachChange(t.Context(), w.from(contents.State.ChangesFrom), func(c *model.Change) error {
			want = w.appendWanted(want, c)
			return nil
		})
		if err == nil {
			var events, lacking int
			events, lacking, err = w.compare(want, contents.State.ChangesFrom)
			seen, gone = seen+events, gone+lacking
		}
		if err != nil {
			t.Fatalf("a watcher of %q on %q: %v", w.prefix, w.platform, err)
		}
	}
	return seen, gone
}

// behind returns an error while the watcher is not there.
func (w *watcher) behind(least uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.place >= least {
		return nil
	}
	return fmt.Errorf("it is at %d, and the log at %d; its last stream, of %s, ended %s ago with: %v", w.place, least, w.lastNode, time.Since(w.lastEnd).Round(time.Millisecond), w.lastErr)
}

func (w *watcher) from(floor uint64) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(w.began, floor)
}

// appendWanted appends what a watcher has to have seen of a change.
func (w *watcher) appendWanted(want []string, c *model.Change) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if line := w.wants(c); line != "" && c.Revision <= w.place && !w.wasGone(c.Revision) {
		want = append(want, line)
	}
	return want
}

// compare holds what was seen against what it has to be above the floor, and forgets it then. It returns how much that was, and how
// often the watcher was told that some is gone.
func (w *watcher) compare(want []string, floor uint64) (seen, gone int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	for _, e := range w.seen {
		if e.Revision > floor && !w.wasGone(e.Revision) {
			got = append(got, lineOf(e))
		}
	}
	seen, gone = len(w.seen), len(w.gone)
	w.began, w.gone, w.seen = w.place, nil, nil
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			return seen, gone, fmt.Errorf("of %d changes it saw %d; after %d that are right should come %q and came %q", len(want), len(got), i, next(want, i), next(got, i))
		}
	}
	return seen, gone, nil
}

func next(lines []string, i int) []string { return lines[min(i, len(lines)):min(i+3, len(lines))] }

func (w *watcher) wasGone(revision uint64) bool {
	for _, r := range w.gone {
		if r.has(revision) {
			return true
		}
	}
	return false
}

// wants returns what a watcher is to be told of a change, "" for nothing.
func (w *watcher) wants(c *model.Change) string {
	e := Event{Type: "put", Revision: c.Revision, ID: c.ID, Record: &model.VersionDB{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform}}
	switch {
	case !strings.HasPrefix(c.ID, w.prefix), w.platform != "" && w.platform != c.Platform && w.platform != c.WasPlatform:
		return ""
	case c.Op == model.ChangeDelete, w.platform != "" && w.platform != c.Platform:
		e.Type, e.Record = "delete", nil
	}
	return lineOf(e)
}

func lineOf(e Event) string {
	if e.Record == nil {
		return fmt.Sprint(e.Revision, " ", e.Type, " ", e.ID)
	}
	return fmt.Sprint(e.Revision, " ", e.Type, " ", e.Record.ID, " ", e.Record.VersionNo, " ", e.Record.Platform)
}
