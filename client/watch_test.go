package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/client"
)

func TestHistory(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	mustCreate(t, c, record("history/1", "1"))
	_, err := c.Update(ctx, client.Record{ID: "history/1", VersionNo: "2", Platform: "ios", MinVersionNo: "1"})
	require.NoError(t, err)
	require.NoError(t, c.Delete(ctx, "history/1"))
	var ops []string
	for change, err := range c.History(ctx, "history/1") {
		require.NoError(t, err)
		require.Equal(t, "history/1", change.ID)
		require.Equal(t, "ops", change.By)
		require.WithinDuration(t, time.Now(), change.At, time.Minute)
		ops = append(ops, fmt.Sprint(change.Op, " ", change.VersionNo, " ", change.Platform, " ", change.WasPlatform, " ", change.MinVersionNo))
	}
	require.Equal(t, []string{"delete  ios  ", "update 2 ios linux 1", "create 1 linux  "}, ops)
	page, err := c.HistoryPage(ctx, "history/1", "", 1)
	require.NoError(t, err)
	require.Equal(t, client.OpDelete, page.Changes[0].Op)
	page, err = c.HistoryPage(ctx, "history/1", page.Next, 2)
	require.NoError(t, err)
	require.Len(t, page.Changes, 2)
	require.True(t, page.Complete)
	for _, err := range c.History(ctx, "history/none") {
		require.ErrorIs(t, err, client.ErrNotFound)
	}
}

// text is an event as tests name it.
func text(e client.Event) string {
	switch e.Type {
	case client.EventPut:
		return e.Type + " " + e.Record.ID + " " + e.Record.VersionNo
	case client.EventDelete:
		return e.Type + " " + e.ID
	}
	return e.Type
}

// collect returns the events of a watch until one of them is the last one, without the bookmarks after the first.
func collect(t *testing.T, c *client.Client, which client.Question, from client.Start, last string, on func(e string)) (seen []string, place uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	bookmarks := 0
	for e, err := range c.Watch(ctx, which, from) {
		require.NoError(t, err, "seen: %v", seen)
		if e.Type == client.EventBookmark {
			if bookmarks++; bookmarks > 1 {
				continue
			}
		}
		seen, place = append(seen, text(e)), e.Revision
		on(text(e))
		if text(e) == last {
			break
		}
	}
	return seen, place
}

// A watch yields what there is and what changes, and goes on from any revision.
func TestWatch(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	mustCreate(t, c, record("watch/1", "1"))
	mustCreate(t, c, record("unwatched/1", "1"))
	which := client.Question{Prefix: "watch/", Platform: "linux"}
	seen, _ := collect(t, c, which, client.Everything(), "delete watch/2", func(e string) {
		if e == client.EventBookmark {
			mustCreate(t, c, record("watch/2", "1"))
			_, err := c.Update(ctx, client.Record{ID: "watch/2", VersionNo: "1", Platform: "ios"})
			require.NoError(t, err)
		}
	})
	require.Equal(t, []string{"put watch/1 1", "bookmark", "put watch/2 1", "delete watch/2"}, seen)
	start, place := collect(t, c, which, client.Now(), "bookmark", func(string) {})
	require.Equal(t, []string{"bookmark"}, start)
	mustCreate(t, c, record("watch/3", "1"))
	require.NoError(t, c.Delete(ctx, "watch/1"))
	seen, _ = collect(t, c, client.Question{IDs: []string{"watch/1", "watch/3"}}, client.After(place), "delete watch/1", func(string) {})
	require.Equal(t, []string{"put watch/3 1", "delete watch/1"}, withoutBookmarks(seen))
	for _, err := range c.Watch(ctx, which, client.After(1)) {
		require.ErrorIs(t, err, client.ErrRevisionGone)
		require.Positive(t, client.RevisionOf(err))
	}
}

// withoutBookmarks leaves the changes: a bookmark comes whenever a watcher has caught up.
func withoutBookmarks(seen []string) []string {
	return slices.DeleteFunc(slices.Clone(seen), func(e string) bool { return e == client.EventBookmark })
}

// Connections and nodes are lost all the time, and yet each change comes once, in its order.
func TestWatchGoesOnElsewhere(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	var connections atomic.Int64
	cuts := func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) {
		patience := 50 + 5*connections.Add(1) // so that it ends on a busy machine, too
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(patience)*time.Millisecond)
		defer cancel()
		pass.ServeHTTP(w, r.WithContext(ctx))
	}
	one, other := mustFront(t, addresses[0], cuts), mustFront(t, addresses[1], cuts)
	watcher := mustClient(t, mustBeDead(t), one.URL, other.URL)
	_, place := collect(t, c, client.Question{}, client.Now(), "bookmark", func(string) {})
	const changes = 300
	var want []string
	wrote := make(chan error, 1)
	for i := range changes {
		want = append(want, fmt.Sprintf("put again/%d 1", i))
	}
	go func() {
		for i := range changes {
			if _, err := c.Create(ctx, record(fmt.Sprintf("again/%d", i), "1")); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	all, _ := collect(t, watcher, client.Question{Prefix: "again/"}, client.After(place), want[changes-1], func(string) {})
	seen := withoutBookmarks(all)
	require.NoError(t, <-wrote)
	require.Equal(t, want, seen)
	require.Greater(t, connections.Load(), int64(1), "nothing was cut: the test tested nothing")
	t.Log(connections.Load(), "connections")
}

// A list that is cut off comes anew: what was given is not given again, and what is gone by then is told.
func TestWatchWhoseListIsCutOff(t *testing.T) {
	lists := []string{
		`{"type":"put","revision":10,"record":{"id":"a","versionNo":"1","platform":"l","revision":10}}
{"type":"put","revision":11,"record":{"id":"b","versionNo":"1","platform":"l","revision":11}}
{"type":"put","revision":12,"record":{"id":"c","ver`,
		`{"type":"put","revision":10,"record":{"id":"a","versionNo":"1","platform":"l","revision":10}}
{"type":"put","revision":14,"record":{"id":"c","versionNo":"2","platform":"l","revision":14}}
{"type":"bookmark","revision":15}
{"type":"put","revision":16,"record":{"id":"d","versionNo":"1","platform":"l","revision":16}}
{"type":"error","code":"too_slow","detail":"the events were not taken in time"}
`,
		`{"type":"bookmark","revision":16}
{"type":"error","code":"revision_gone","revision":99,"detail":"the store was replaced"}
`,
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Versiond-Node", "node1")
		_, _ = w.Write([]byte(lists[len(asked)]))
		asked = append(asked, r.URL.Query().Get("since"))
	}))
	defer server.Close()
	var seen []string
	var last error
	for e, err := range mustClient(t, server.URL).Watch(t.Context(), client.Question{}, client.Everything()) {
		if last = err; err == nil {
			seen = append(seen, text(e))
		}
	}
	require.Equal(t, "put a 1,put b 1,put c 2,delete b,bookmark,put d 1,bookmark", strings.Join(seen, ","))
	require.Equal(t, []string{"0", "0", "16"}, asked)
	require.ErrorIs(t, last, client.ErrRevisionGone)
	require.EqualValues(t, 99, client.RevisionOf(last))
}

// What changes while the records come is told before the first bookmark. A record that was given and is deleted then is told
// to be gone, and one that is there again is not.
func TestWatchWhoseRecordsGoWhileTheyCome(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Versiond-Node", "node1")
		_, _ = w.Write([]byte(`{"type":"put","revision":10,"record":{"id":"a","versionNo":"1","platform":"l","revision":10}}
{"type":"put","revision":11,"record":{"id":"b","versionNo":"1","platform":"l","revision":11}}
{"type":"delete","revision":12,"id":"a"}
{"type":"delete","revision":13,"id":"b"}
{"type":"put","revision":14,"record":{"id":"b","versionNo":"2","platform":"l","revision":14}}
{"type":"delete","revision":15,"id":"never-given"}
{"type":"bookmark","revision":16}
{"type":"error","code":"revision_gone","revision":99,"detail":"the store was replaced"}
`))
	}))
	defer server.Close()
	var seen []string
	for e, err := range mustClient(t, server.URL).Watch(t.Context(), client.Question{}, client.Everything()) {
		if err == nil {
			seen = append(seen, text(e))
		}
	}
	require.Equal(t, []string{"put a 1", "put b 1", "put b 2", "delete a", "bookmark"}, seen)
}

// A watch ends with its context, and when nobody answers for as long as a call may take.
func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range mustClient(t).Watch(ctx, client.Question{}, client.Now()) {
		cancel()
		if err != nil {
			require.True(t, errors.Is(err, context.Canceled), err)
		}
	}
	require.Error(t, ctx.Err())
	gone := mustNew(t, client.Config{Addresses: []string{mustBeDead(t)}, RetryFor: 100 * time.Millisecond, AttemptTimeout: 100 * time.Millisecond})
	for _, err := range gone.Watch(t.Context(), client.Question{}, client.Now()) {
		require.ErrorIs(t, err, client.ErrUnavailable)
	}
}

// A program that goes on where a watch has ended does not run hot while every node asks to be left alone for long.
func TestAWatchThatGoesOnLeavesNodesAlone(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) > 1 {
			refuse(w, http.StatusServiceUnavailable, "node_removed", "30")
			return
		}
		w.Header().Set("X-Versiond-Node", "node1")
		_, _ = w.Write([]byte(`{"type":"bookmark","revision":16}` + "\n"))
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	c, from := mustClient(t, server.URL), client.Now()
	var last error
	for ctx.Err() == nil {
		for e, err := range c.Watch(ctx, client.Question{}, from) {
			if last = err; err == nil {
				from = client.After(e.Revision)
			}
		}
	}
	require.ErrorIs(t, last, context.DeadlineExceeded)
	require.LessOrEqual(t, requests.Load(), int64(3))
}
