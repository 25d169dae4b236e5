package changes

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// fakeNode keeps records and all changes in memory, and tells a hub of them as the applier does: kept first, then published,
// then applied. One goroutine writes.
type fakeNode struct {
	hub *Hub

	mu      sync.Mutex
	applied uint64
	floor   uint64
	changes []model.Change
	records map[string]model.VersionDB
	pages   func() // is called in front of each page
	unfit   error
}

// mustFake returns a node that begins to keep changes at index 1.
func mustFake() *fakeNode {
	n := &fakeNode{hub: NewHub(WatchersMax), applied: 1, floor: model.Revision(1, 0), records: map[string]model.VersionDB{}}
	n.hub.Reset(n.floor, 0)
	return n
}

// write does some writes in one entry. A record without a versionNo is deleted.
func (n *fakeNode) write(records ...model.VersionDB) (done []model.Change) {
	n.mu.Lock()
	index := n.applied + 1
	for i, r := range records {
		r.Revision = model.Revision(index, i)
		done = append(done, n.change(r))
	}
	n.changes = append(n.changes, done...)
	floor := n.floor
	n.mu.Unlock()
	n.hub.Publish(done, floor)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.applied = index
	return done
}

func (n *fakeNode) change(r model.VersionDB) model.Change {
	before, existed := n.records[r.ID]
	c := model.Change{Revision: r.Revision, Op: model.ChangeCreate, ID: r.ID, VersionNo: r.VersionNo, Platform: r.Platform}
	n.records[r.ID] = r
	switch {
	case r.VersionNo == "":
		c.Op, c.Platform = model.ChangeDelete, before.Platform
		delete(n.records, r.ID)
	case existed:
		c.Op = model.ChangeUpdate
		if before.Platform != r.Platform {
			c.WasPlatform = before.Platform
		}
	}
	return c
}

// forget lets go of the changes up to a revision.
func (n *fakeNode) forget(revision uint64) {
	n.mu.Lock()
	n.floor = revision
	n.changes = slices.DeleteFunc(n.changes, func(c model.Change) bool { return c.Revision <= revision })
	n.mu.Unlock()
	n.hub.Publish(nil, revision)
}

func (n *fakeNode) AppliedIndex() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.applied
}

func (n *fakeNode) Fit() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.unfit
}

func (n *fakeNode) ChangesAfter(_ context.Context, revision uint64, limit int) ([]model.Change, uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := slices.IndexFunc(n.changes, func(c model.Change) bool { return c.Revision > revision })
	if at < 0 {
		return nil, n.floor, nil
	}
	return slices.Clone(n.changes[at:min(len(n.changes), at+limit)]), n.floor, nil
}

func (n *fakeNode) Page(_ context.Context, list model.ListOptions) (page model.Page, index uint64, err error) {
	if n.pages != nil {
		n.pages()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(n.records)) {
		r := n.records[id]
		if id <= list.After || !strings.HasPrefix(id, list.Prefix) || list.Platform != "" && list.Platform != r.Platform {
			continue
		}
		if len(page.Items) == list.Limit {
			page.Next = page.Items[len(page.Items)-1].ID
			break
		}
		page.Items = append(page.Items, r)
	}
	return page, n.applied, nil
}

// told is an event as a client reads it.
type told struct {
	line
	place uint64
}

func mustRead(t testing.TB, events []Event) (all []told) {
	t.Helper()
	for _, e := range events {
		read := told{place: e.Revision}
		require.NoError(t, json.Unmarshal(e.JSON, &read.line))
		all = append(all, read)
	}
	return all
}

// mustWatch begins to watch until the test ends.
func (n *fakeNode) mustWatch(t testing.TB, r Request) *client {
	t.Helper()
	w, err := n.hub.Watch(n, r)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return &client{t: t, Watcher: w}
}

// client reads what a watcher is told.
type client struct {
	t testing.TB
	*Watcher
	place uint64
}

// next waits for events.
func (c *client) next() []told {
	c.t.Helper()
	events, err := c.Next(c.t.Context())
	require.NoError(c.t, err)
	all := mustRead(c.t, events)
	for _, e := range all {
		c.place = max(c.place, e.place)
	}
	return all
}

// untilBookmark reads up to the next bookmark, which it leaves out.
func (c *client) untilBookmark() (all []told) {
	c.t.Helper()
	for {
		for _, e := range c.next() {
			if e.Type == "bookmark" {
				return all
			}
			all = append(all, e)
		}
	}
}

// requireEnd reads up to the end of the stream, and returns what was told until then.
func (c *client) requireEnd() (all []told) {
	c.t.Helper()
	for {
		events, err := c.Next(c.t.Context())
		if err != nil {
			require.ErrorIs(c.t, err, io.EOF)
			return all
		}
		all = append(all, mustRead(c.t, events)...)
	}
}

func record(id, versionNo, platform string) model.VersionDB {
	return model.VersionDB{ID: id, VersionNo: versionNo, Platform: platform}
}

func words(all []told) (said []string) {
	for _, e := range all {
		switch e.Type {
		case "put":
			said = append(said, "put "+e.Record.ID+" "+e.Record.VersionNo)
		default:
			said = append(said, e.Type+" "+e.ID+e.Code)
		}
	}
	return said
}
