package dao_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
)

// clock is a time that only a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const memoryTTL = time.Minute

func mustMemoryDB(t *testing.T, capacity int, evictRatio float64) (*dao.MemoryDB, *clock) {
	t.Helper()
	c := &clock{now: time.Now()}
	m, err := dao.NewMemoryDB(capacity, evictRatio, memoryTTL, c.Now)
	require.NoError(t, err)
	return m, c
}

// TestMemoryDBHolds breaks when the cache gives a value other than the last one put.
func TestMemoryDBHolds(t *testing.T) {
	m, _ := mustMemoryDB(t, 10, 0.1)
	requireMiss(t, m, "a")
	m.Put(version("a", 1))
	m.Put(version("a", 2))
	m.Put(version("b", 3))
	got, ok := m.Get("a")
	require.True(t, ok)
	require.Equal(t, version("a", 2), got)
	require.Equal(t, 2, m.Len())

	m.Delete("a")
	m.Delete("missing")
	requireMiss(t, m, "a")
	m.Clear()
	require.Zero(t, m.Len())
	requireMiss(t, m, "b")
}

// TestMemoryDBEvicts breaks when the cache grows beyond its capacity or drops what is in use.
func TestMemoryDBEvicts(t *testing.T) {
	m, _ := mustMemoryDB(t, 10, 0.3)
	for i := range 10 {
		m.Put(version(fmt.Sprint(i), 1))
	}
	for _, id := range []string{"0", "2"} {
		_, ok := m.Get(id)
		require.True(t, ok)
	}
	m.Put(version("1", 2)) // a write is no read
	require.Equal(t, 10, m.Len())

	m.Put(version("new", 1))
	require.Equal(t, 8, m.Len(), "three are dropped for one that comes")
	for _, id := range []string{"1", "3", "4"} {
		requireMiss(t, m, id)
	}
	for _, id := range []string{"0", "2", "5", "9", "new"} {
		_, ok := m.Get(id)
		require.True(t, ok, id)
	}
}

// TestMemoryDBEvictsAtLeastOne breaks when a small ratio of a small capacity rounds to nothing.
func TestMemoryDBEvictsAtLeastOne(t *testing.T) {
	for _, ratio := range []float64{0.001, 1} {
		m, _ := mustMemoryDB(t, 1, ratio)
		m.Put(version("a", 1))
		m.Put(version("b", 1))
		require.Equal(t, 1, m.Len())
		requireMiss(t, m, "a")
	}
}

// TestMemoryDBExpires breaks when an entry outlives its time after the last read, or a read does not
// prolong it.
func TestMemoryDBExpires(t *testing.T) {
	m, c := mustMemoryDB(t, 10, 0.1)
	m.Put(version("read", 1))
	m.Put(version("written", 1))
	c.Advance(memoryTTL - time.Nanosecond)
	_, ok := m.Get("read")
	require.True(t, ok)
	m.Put(version("written", 2))

	c.Advance(time.Nanosecond)
	requireMiss(t, m, "written")
	_, ok = m.Get("read")
	require.True(t, ok)

	c.Advance(memoryTTL)
	m.Put(version("read", 2))
	got, ok := m.Get("read")
	require.True(t, ok, "a put over an expired entry makes a new one")
	require.Equal(t, uint64(2), got.Revision)
}

// TestMemoryDBDeleteExpired breaks when the clean-up looks at more than it may, or at the wrong end.
func TestMemoryDBDeleteExpired(t *testing.T) {
	m, c := mustMemoryDB(t, 100, 0.1)
	for i := range 50 {
		m.Put(version(fmt.Sprint(i), 1))
	}
	c.Advance(memoryTTL / 2)
	_, ok := m.Get("0")
	require.True(t, ok)
	require.Zero(t, m.DeleteExpired(20))

	c.Advance(memoryTTL / 2)
	require.Zero(t, m.DeleteExpired(0))
	require.Equal(t, 20, m.DeleteExpired(20))
	require.Equal(t, 30, m.Len())
	require.Equal(t, 29, m.DeleteExpired(100))
	require.Equal(t, 1, m.Len())
	_, ok = m.Get("0")
	require.True(t, ok)
}

// TestMemoryDBRun breaks when nothing cleans up, or when the loop does not end with its context.
func TestMemoryDBRun(t *testing.T) {
	m, c := mustMemoryDB(t, 10, 0.1)
	m.Put(version("a", 1))
	c.Advance(memoryTTL)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx, time.Millisecond, 20)
	}()
	require.Eventually(t, func() bool { return m.Len() == 0 }, 5*time.Second, time.Millisecond)
	cancel()
	<-done
}

// TestMemoryDBRefusesNonsense breaks when a wrong setting shows only as a cache that never works.
func TestMemoryDBRefusesNonsense(t *testing.T) {
	for _, c := range []struct {
		capacity int
		ratio    float64
		ttl      time.Duration
	}{{0, 0.1, 1}, {-1, 0.1, 1}, {1, 0, 1}, {1, 1.1, 1}, {1, math.NaN(), 1}, {1, 0.1, 0}} {
		_, err := dao.NewMemoryDB(c.capacity, c.ratio, c.ttl, time.Now)
		require.ErrorIs(t, err, model.ErrInvalid, "%+v", c)
	}
}

// TestMemoryDBConcurrent breaks under the race detector when a method forgets the lock, and when the
// capacity does not hold under load.
func TestMemoryDBConcurrent(t *testing.T) {
	m, _ := mustMemoryDB(t, 50, 0.1)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 2000 {
				id := fmt.Sprint((i * (worker + 1)) % 200)
				m.Put(version(id, uint64(i)))
				if got, ok := m.Get(id); ok && got.ID != id {
					t.Errorf("%s was answered for %s", got.ID, id)
				}
				if m.Len() > 50 {
					t.Errorf("%d entries", m.Len())
				}
				m.Delete(fmt.Sprint(i % 200))
				m.DeleteExpired(5)
			}
		})
	}
	group.Wait()
}

func requireMiss(t *testing.T, m *dao.MemoryDB, id string) {
	t.Helper()
	_, ok := m.Get(id)
	require.False(t, ok, id)
}
