package controller

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/service/changes"
)

const (
	linesType  = "application/x-ndjson"
	eventsType = "text/event-stream"
	// headerBuffering is in the answers that are streams, and in no others.
	headerBuffering = "X-Accel-Buffering"
	// waitMax bounds a poll.
	waitMax = 60 * time.Second
	// watchedIDsMax bounds what a watcher holds in memory.
	watchedIDsMax = 50
)

// WatchVersions streams what is written to the records of a filter, or answers a poll for it.
func (v *VersionController) WatchVersions(c *gin.Context) {
	began := time.Now()
	if watcher := v.openWatcher(c); watcher != nil {
		defer watcher.Close()
		v.metrics.Public.Answered(c.Request.Method, c.FullPath(), http.StatusOK, time.Since(began))
		v.stream(c, watcher)
	}
}

// openWatcher returns nil for a request that cannot be watched. It leaves nothing on the stack for as long as others can be.
func (v *VersionController) openWatcher(c *gin.Context) (watcher *changes.Watcher) {
	in := readInput(c, "since", "id", "prefix", "platform", "wait", "level", "min_index", "timeout")
	request, opts := in.watched(), in.readOptions()
	in.do(func(opening context.Context) {
		var err error
		if watcher, err = v.service.Watch(opening, request, opts); err != nil {
			fail(c, err)
		}
	})
	return watcher
}

// stream sends what a watcher is told, until one of the two ends it.
func (v *VersionController) stream(c *gin.Context, watcher *changes.Watcher) {
	form, write := formFor(c.Request.Header)
	h := c.Writer.Header()
	h["Content-Type"], h["Vary"] = []string{form}, []string{"Accept"}
	h["Cache-Control"] = []string{"no-store"}
	h[headerBuffering] = []string{"no"} // nginx would keep the events back
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		return
	}
	to := newTransfer(c)
	to.flush() // the client learns that it watches
	for ctx := c.Request.Context(); ; {
		events, err := next(ctx, watcher)
		if err != nil && !errors.Is(err, io.EOF) {
			events = []changes.Event{changes.Failure(err, func(err error) (code, says string) {
				t := v.translated(c, err)
				return t.code, detail(t, err)
			})}
		}
		for _, e := range events {
			if write(to, e) != nil {
				return
			}
		}
		if to.flush(); err != nil {
			return
		}
	}
}

// next ends a stream with the cause for which its request may not go on, also where there is always something to tell.
func next(ctx context.Context, watcher *changes.Watcher) ([]changes.Event, error) {
	events, err := watcher.Next(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return events, err
}

// streams reports whether a request was measured when its stream began: how long somebody watches is no time that the node
// took.
func streams(c *gin.Context) bool { return c.Writer.Header()[headerBuffering] != nil }

// formFor returns the type in which a client wants events, and what writes one.
func formFor(h http.Header) (form string, write func(io.Writer, changes.Event) error) {
	if strings.Contains(strings.Join(h.Values("Accept"), ","), eventsType) {
		return eventsType, writeServerSent
	}
	return linesType, writeLine
}

func writeLine(w io.Writer, e changes.Event) error {
	_, err := w.Write(e.JSON)
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	return err
}

// writeServerSent writes an event as browsers read it, which give the id of the last one as Last-Event-ID.
func writeServerSent(w io.Writer, e changes.Event) error {
	text := "data: "
	if e.Revision != 0 {
		text = "id: " + strconv.FormatUint(e.Revision, 10) + "\n" + text
	}
	_, err := io.WriteString(w, text)
	if err == nil {
		_, err = w.Write(e.JSON)
	}
	if err == nil {
		_, err = io.WriteString(w, "\n\n")
	}
	return err
}

// watched returns what is to be watched.
func (in *input) watched() (r changes.Request) {
	r.Platform, r.Prefix = in.text("platform"), in.prefix()
	if list := in.parameter("id"); list != "" {
		r.IDs = in.listOfIDs(list, watchedIDsMax)
	}
	if r.IDs != nil && r.Prefix != "" {
		in.wrong("prefix", "does not go with id; watch a list of ids, or those with a prefix")
	}
	r.Since, r.Now, r.List = in.since()
	r.Wait = in.duration("wait", waitMax, 0)
	return r
}

// since returns after which revision a watcher begins. A browser that connects again sends the address of the first time,
// and says in a header where it was.
func (in *input) since() (revision uint64, now, list bool) {
	name, value := "since", in.parameter("since")
	if last := in.Get("Last-Event-ID"); last != "" {
		name, value = "Last-Event-ID", last
	}
	if value == "" || value == "now" {
		return 0, true, false
	}
	revision, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		in.wrong(name, "must be the revision of the last event that was seen, such as 32768, or 0 for all records first, or now")
	}
	return revision, false, revision == 0
}
