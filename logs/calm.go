package logs

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// firstPause is how long a line that was said is not said again; each time it doubles, up to lastPause.
	firstPause = time.Minute
	lastPause  = 10 * time.Minute
	// forgetAfter is how long a line must not have come to be new again.
	forgetAfter = 2 * time.Minute
	// topicsMax bounds what is remembered. More kinds of lines than that do not repeat at once.
	topicsMax = 1000
)

// Calm returns a logger for what may repeat as long as a fault lasts: it says a line at once, and the same
// about the same thing only at intervals, with how often it came in between ("repeated"). Errors may
// differ in the same line; ids, members, addresses and outcomes may not. Lines at info and below it says each time.
func Calm(log *slog.Logger) *slog.Logger { return calmFrom(slog.LevelWarn, log) }

// CalmOfAll is Calm for lines of every level.
func CalmOfAll(log *slog.Logger) *slog.Logger { return calmFrom(slog.LevelDebug, log) }

func calmFrom(least slog.Level, log *slog.Logger) *slog.Logger {
	return slog.New(&calm{Handler: log.Handler(), said: &said{topics: map[string]*topic{}}, least: least})
}

type calm struct {
	slog.Handler
	*said
	least slog.Level // of lines that are not said each time
	about string     // what WithAttrs has said
}

// said is what all loggers made from one another remember.
type said struct {
	mu     sync.Mutex
	topics map[string]*topic
}

type topic struct {
	last     time.Time // when it came last
	next     time.Time // when it may be said again
	pause    time.Duration
	repeated int
}

func (c *calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &calm{Handler: c.Handler.WithAttrs(attrs), said: c.said, least: c.least, about: c.about + subjects(attrs)}
}

func (c *calm) WithGroup(name string) slog.Handler {
	return &calm{Handler: c.Handler.WithGroup(name), said: c.said, least: c.least, about: c.about}
}

func (c *calm) Handle(ctx context.Context, line slog.Record) error {
	if line.Level < c.least {
		return c.Handler.Handle(ctx, line)
	}
	var attrs []slog.Attr
	line.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	repeated, say := c.say(c.about+line.Level.String()+line.Message+subjects(attrs), line.Time)
	if !say {
		return nil
	}
	if repeated > 0 {
		line = line.Clone()
		line.AddAttrs(slog.Int("repeated", repeated))
	}
	return c.Handler.Handle(ctx, line)
}

// say reports whether a line about this is to be said now, and how often it was not since the last time.
func (s *said) say(about string, now time.Time) (repeated int, say bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[about]
	if t == nil || now.Sub(t.last) > forgetAfter {
		if len(s.topics) >= topicsMax {
			clear(s.topics)
		}
		s.topics[about] = &topic{last: now, next: now.Add(firstPause), pause: firstPause}
		return 0, true
	}
	t.last = now
	if now.Before(t.next) {
		t.repeated++
		return 0, false
	}
	t.pause = min(2*t.pause, lastPause)
	t.next = now.Add(t.pause)
	repeated, t.repeated = t.repeated, 0
	return repeated, true
}

// subjects returns the attributes that distinguish a topic from another of the same words.
func subjects(attrs []slog.Attr) string {
	var b strings.Builder
	for _, a := range attrs {
		switch {
		case a.Key == "" && a.Value.Kind() == slog.KindGroup: // its attributes stand in the line
			b.WriteString(subjects(a.Value.Group()))
		case slices.Contains([]string{"node", "id", "peer", "member", "address", "to", "outcome"}, a.Key):
			b.WriteString(" " + a.String())
		}
	}
	return b.String()
}
