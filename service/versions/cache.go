package versions

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"versiond/model"
)

const (
	// questionsMax bounds the questions whose records are kept, each of which every change is held against.
	questionsMax = 256
	// bytesMax bounds the records that are kept for all of them, in about the memory that they take.
	bytesMax = 32 << 20
	// recordBytes is what a record takes beside what it says.
	recordBytes = 300
)

// Cache keeps the records that questions are about for as long as none of them changes, so that a fleet which polls one
// question costs its node no look into the store. Changed and Clear are the applier's; any goroutine may call the others.
type Cache struct {
	mu        sync.Mutex
	questions *simplelru.LRU[string, *question]
	bytes     int
}

// question is what somebody has asked, and the records that it is about, once they are read.
type question struct {
	which model.Candidates
	key   string          // its own among the questions
	ids   map[string]bool // of the list that was asked for, and of the records
	// changed are the records that changed while they were read.
	changed []change
	read    chan struct{} // closed once they are
	ranked  Ranked
	bytes   int
	index   uint64 // of which they are
	kept    bool
}

type change struct {
	id, platform string
	deleted      bool
}

// NewCache makes an empty one.
func NewCache() *Cache {
	c := &Cache{}
	c.questions, _ = simplelru.NewLRU(questionsMax, func(_ string, q *question) { c.bytes -= q.bytes }) // the size is right
	return c
}

// Get returns the records of a question, the newest first, and an index of which they are, if they are kept. They must not
// be changed.
func (c *Cache) Get(which model.Candidates) (records []model.VersionDB, index uint64, kept bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, found := c.questions.Get(keyOf(which))
	if !found || !q.kept {
		return nil, 0, false
	}
	return q.ranked.records, q.index, true
}

// Rank returns the order of records that answer a question. That of those that are kept is known: a version number takes
// microseconds to read, and there may be a thousand.
func (c *Cache) Rank(which model.Candidates, records []model.VersionDB) Ranked {
	if len(records) > 1 {
		if ranked := c.ranked(which); areSame(ranked.records, records) {
			return ranked
		}
	}
	return Rank(records)
}

func (c *Cache) ranked(which model.Candidates) Ranked {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, found := c.questions.Peek(keyOf(which)); found {
		return q.ranked
	}
	return Ranked{}
}

// areSame reports whether a slice that is not empty is another one.
func areSame(a, b []model.VersionDB) bool { return len(a) == len(b) && &a[0] == &b[0] }

// reader reads the records of a question, and returns the index of which they are, 0 where that is not known.
type reader = func(context.Context) (records []model.VersionDB, index uint64, err error)

// loadTries bounds how often records are read that change all the time.
const loadTries = 100

// Load returns the records of a question by read, which several callers share, and keeps them unless one has changed
// meanwhile. The index is the one of which they are: what read returned with them, or, where it returned 0, the applied one
// after a read during which none of them has changed; 0 where they change too often for that.
func (c *Cache) Load(ctx context.Context, which model.Candidates, applied func() uint64, read reader) (records []model.VersionDB, index uint64, err error) {
	for range loadTries {
		q, mine := c.begin(which)
		if !mine {
			select {
			case <-q.read:
			case <-ctx.Done():
				return nil, 0, ctx.Err()
			}
			if records, index, kept := c.Get(which); kept {
				return records, index, nil
			}
			continue
		}
		if records, index, err = c.fill(ctx, q, applied, read); err != nil || index != 0 {
			return records, index, err
		}
	}
	return read(ctx)
}

// errNotRead is what stays of a read that did not come back.
var errNotRead = errors.New("the records were not read")

// fill reads the records of a question for all who wait for them, whom it lets go on in any case.
func (c *Cache) fill(ctx context.Context, q *question, applied func() uint64, read reader) (records []model.VersionDB, index uint64, err error) {
	var ranked Ranked
	err = errNotRead
	defer func() { index = c.end(q, ranked, index, err, applied) }()
	if records, index, err = read(ctx); err == nil {
		ranked = Rank(records)
	}
	return ranked.records, index, err
}

// begin returns the question, and whether the caller is the one that reads its records.
func (c *Cache) begin(which model.Candidates) (q *question, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := keyOf(which)
	if q, found := c.questions.Get(key); found {
		return q, false
	}
	q = &question{which: which, key: key, ids: map[string]bool{}, read: make(chan struct{})}
	for _, id := range which.IDs {
		q.ids[id] = true
	}
	c.questions.Add(key, q)
	return q, true
}

// end keeps what was read, unless it may be of before a change, and returns the index of which it is.
func (c *Cache) end(q *question, ranked Ranked, index uint64, err error, applied func() uint64) uint64 {
	now := applied() // what has changed up to there is in q.changed
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(q.read)
	if current, _ := c.questions.Peek(q.key); current != q {
		return index // the store was replaced, or others have asked more
	}
	bytes := 0
	for _, record := range ranked.records {
		q.ids[record.ID] = true
		bytes += recordBytes + len(record.ID) + len(record.VersionNo) + record.DetailBytes()
	}
	if err != nil || slices.ContainsFunc(q.changed, q.isAbout) {
		c.questions.Remove(q.key)
		return index
	}
	q.ranked, q.bytes, q.index, q.kept, q.changed = ranked, bytes, max(index, now), true, nil
	for c.bytes += bytes; c.bytes > bytesMax; {
		c.questions.RemoveOldest()
	}
	return max(index, now)
}

// isAbout reports whether a change makes the records of a question others.
func (q *question) isAbout(c change) bool {
	isNew := !c.deleted && (q.which.Platform == "" || q.which.Platform == c.platform)
	return q.ids[c.id] || isNew && q.mayBeAbout(c)
}

// mayBeAbout reports whether a change can be about the records of a question that are not read yet.
func (q *question) mayBeAbout(c change) bool {
	return q.ids[c.id] || len(q.which.IDs) == 0 && strings.HasPrefix(c.id, q.which.Prefix)
}

// Changed lets go of what a change makes wrong. It is called before readers are shown the change's index.
func (c *Cache) Changed(id, platform string, deleted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.questions.Len() == 0 {
		return
	}
	what := change{id, platform, deleted}
	for _, q := range c.questions.Values() {
		switch {
		case !q.kept && q.mayBeAbout(what):
			q.changed = append(q.changed, what)
		case !q.kept:
		case q.isAbout(what):
			c.questions.Remove(q.key)
		}
	}
}

// Clear lets go of everything, as the store is replaced.
func (c *Cache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.questions.Purge()
}

func keyOf(which model.Candidates) string {
	return which.Platform + "\x00" + which.Prefix + "\x00" + strings.Join(which.IDs, "\x00")
}
