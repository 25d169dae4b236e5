package dao

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"versiond/group"
	"versiond/model"
)

// MemoryDB is the cache inside the process. It holds at most capacity records; when full it drops a
// part of them, least recently read first, and an entry expires some time after it was last read.
//
// Like every cache here it is never the truth: the reader judges what it gets by its revision. Any
// goroutine may call it.
type MemoryDB struct {
	capacity int
	evict    int
	ttl      time.Duration
	now      func() time.Time

	mu sync.Mutex
	// entries are in the order of their readAt, which only Get and the first Put set: that is what
	// lets DeleteExpired stop at the first entry that is not expired.
	entries *simplelru.LRU[string, *memoryEntry]
}

type memoryEntry struct {
	version model.Version
	readAt  time.Time
}

// NewMemoryDB makes an empty cache. When capacity is reached it drops evictRatio (over 0, at most 1)
// of it, at least one record. The clock now is time.Now, or a test's. It returns model.ErrInvalid for
// numbers that make no sense.
func NewMemoryDB(capacity int, evictRatio float64, ttl time.Duration, now func() time.Time) (*MemoryDB, error) {
	if capacity < 1 || !(evictRatio > 0 && evictRatio <= 1) || ttl <= 0 {
		return nil, fmt.Errorf("memory db: %w: capacity %d, evict ratio %v, ttl %s", model.ErrInvalid, capacity, evictRatio, ttl)
	}
	entries, err := simplelru.NewLRU[string, *memoryEntry](capacity, nil)
	if err != nil {
		return nil, fmt.Errorf("memory db: %w", err)
	}
	evict := max(1, int(float64(capacity)*evictRatio))
	return &MemoryDB{capacity: capacity, evict: evict, ttl: ttl, now: now, entries: entries}, nil
}

// Get returns the record of an id, if it is there and has not expired.
func (m *MemoryDB) Get(id string) (model.Version, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry, ok := m.entries.Get(id)
	if !ok {
		return model.Version{}, false
	}
	now := m.now()
	if m.expired(entry, now) {
		m.entries.Remove(id)
		return model.Version{}, false
	}
	entry.readAt = now
	return entry.version, true
}

// Put keeps a record. A write of an id that is there does not count as reading it.
func (m *MemoryDB) Put(v model.Version) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if entry, ok := m.entries.Peek(v.ID); ok && !m.expired(entry, now) {
		entry.version = v
		return
	}
	m.entries.Remove(v.ID)
	if m.entries.Len() >= m.capacity {
		m.evictOldest()
	}
	m.entries.Add(v.ID, &memoryEntry{version: v, readAt: now})
}

func (m *MemoryDB) evictOldest() {
	for range m.evict {
		m.entries.RemoveOldest()
	}
}

// Delete drops the record of an id, if there is one.
func (m *MemoryDB) Delete(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Remove(id)
}

// Clear drops everything.
func (m *MemoryDB) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries.Purge()
}

// Len returns the number of records held, expired ones that nobody has noticed included.
func (m *MemoryDB) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entries.Len()
}

// DeleteExpired examines up to examine entries, those longest unread, drops the expired ones and
// tells how many those were. It ends early at the first that has not expired, since none after it has.
func (m *MemoryDB) DeleteExpired(examine int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	deleted := 0
	for deleted < examine {
		_, entry, ok := m.entries.GetOldest()
		if !ok || !m.expired(entry, now) {
			break
		}
		m.entries.RemoveOldest()
		deleted++
	}
	return deleted
}

// Run calls DeleteExpired every interval until ctx ends, on the caller's goroutine.
func (m *MemoryDB) Run(ctx context.Context, interval time.Duration, examine int) {
	for range group.Every(ctx, interval) {
		m.DeleteExpired(examine)
	}
}

func (m *MemoryDB) expired(entry *memoryEntry, now time.Time) bool {
	return now.Sub(entry.readAt) >= m.ttl
}
