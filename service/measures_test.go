package service

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
)

// lookedUp returns what one linearizable read added to the counts.
func (n *testNode) lookedUp(t *testing.T, id string) model.Lookups {
	t.Helper()
	before := n.reads.lookup.counts()
	_, _ = n.GetVersionByID(within(t, 10*time.Second), id, model.ReadOptions{Level: model.LevelLinearizable})
	after := n.reads.lookup.counts()
	return model.Lookups{
		Absent:     after.Absent - before.Absent,
		MemoryHits: after.MemoryHits - before.MemoryHits, MemoryMisses: after.MemoryMisses - before.MemoryMisses,
		RedisHits: after.RedisHits - before.RedisHits, RedisMisses: after.RedisMisses - before.RedisMisses,
		StoreHits: after.StoreHits - before.StoreHits, StoreMisses: after.StoreMisses - before.StoreMisses,
	}
}

// The share of reads that each tier answers is what operators size the caches by.
func TestLookupsAreCountedWhereTheyEnd(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	added := n.mustAdd(t, "known", "1").Record
	eventually(t, func() bool { return n.inRedis(t, "known") == n.cachedAs(added) })

	require.Equal(t, model.Lookups{Absent: 1}, n.lookedUp(t, "unknown"))
	require.Equal(t, model.Lookups{MemoryHits: 1}, n.lookedUp(t, "known"))
	n.redis.memory.Clear()
	require.Equal(t, model.Lookups{MemoryMisses: 1, RedisHits: 1}, n.lookedUp(t, "known"))
	n.redis.memory.Clear()
	require.NoError(t, n.redis.redisDao.DeleteMany(t.Context(), []string{"known"}))
	require.Equal(t, model.Lookups{MemoryMisses: 1, RedisMisses: 1, StoreHits: 1}, n.lookedUp(t, "known"))
	n.redis.memory.Put(model.Version{ID: "known", VersionNo: "0", Platform: "linux", Revision: 1})
	require.Equal(t, uint64(1), n.lookedUp(t, "known").MemoryMisses, "a value of another revision is no hit")
}

// What a node says of itself must be its own state, or every alert on it is wrong.
func TestMeasuresOfALeader(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustAdd(t, "a", "1")
	n.mustAdd(t, "b", "1")
	m := n.Measures()
	require.Equal(t, "leader", m.State)
	require.True(t, m.LeaderKnown)
	require.True(t, m.Serving)
	require.False(t, m.Removed)
	require.Equal(t, n.node.Term(), m.Term)
	require.Equal(t, n.AppliedIndex(), m.AppliedIndex)
	require.Equal(t, m.CommitIndex, m.AppliedIndex)
	require.GreaterOrEqual(t, m.LastIndex, m.CommitIndex)
	require.Equal(t, []int{1, 1}, []int{m.Members, m.Voters})
	require.Equal(t, []int{2, 2}, []int{m.Records, m.MemoryRecords})
	require.Zero(t, m.ApplierLag)
	require.Zero(t, m.LastContact)
}

func TestMeasuresOfANodeThatWaits(t *testing.T) {
	t.Parallel()
	m := nodeOptions{}.mustOpen(t).Measures()
	require.Equal(t, "waiting", m.State)
	require.False(t, m.LeaderKnown)
	require.Zero(t, m.Members)
}

// A Redis that takes nothing is seen here before anybody reads the log.
func TestRedisFailuresAreCounted(t *testing.T) {
	t.Parallel()
	client, err := db.OpenRedis(db.RedisAccount{Addr: "127.0.0.1:1"}) // nothing listens there
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	n := nodeOptions{redisDao: &dao.VersionRedisDao{Client: client}}.mustLead(t)
	n.mustAdd(t, "a", "1")
	eventually(t, func() bool { return n.Measures().RedisFailures > 0 })
	n.redis.writer.set(dao.CachedVersion{})
	require.Equal(t, 1, n.Measures().RedisPending, "nobody was told to write it")
}

// A store that fails reads is counted, a record that is not there is no failure of the store.
func TestStoreReadFailuresAreCounted(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustAdd(t, "a", "1")
	n.reads.lookup.reads.failed(model.ErrNotFound)
	require.Zero(t, n.Measures().StoreReadFailures)
	n.redis.memory.Clear()
	sqlDB, err := n.store.DB.DB()
	require.NoError(t, err)
	require.NoError(t, sqlDB.Close())
	_, err = n.GetVersionByID(within(t, 10*time.Second), "a", model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	require.EqualValues(t, 1, n.Measures().StoreReadFailures)
}

// witness is an Observer that remembers.
type witness struct {
	unobserved
	mu      sync.Mutex
	written map[model.CommandType][]error
	rounds  map[model.Level]int
	reloads []bool
}

func (w *witness) Written(command model.CommandType, err error, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written[command] = append(w.written[command], err)
}

func (w *witness) ReadRound(level model.Level, reads int, _ time.Duration, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rounds[level] += reads
}

func (w *witness) Reloaded(done bool, _ time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reloads = append(w.reloads, done && err == nil)
}

// Writes are counted with what came of them, reads that share rounds once each.
func TestObserverIsTold(t *testing.T) {
	t.Parallel()
	w := &witness{written: map[model.CommandType][]error{}, rounds: map[model.Level]int{}}
	n := nodeOptions{redisDao: mustRedis(t), settings: func(address string) Settings {
		settings := alone(address)
		settings.Observer = w
		return settings
	}}.mustLead(t)
	n.mustAdd(t, "a", "1")
	_, errAgain := n.AddVersion(t.Context(), record("a", "1"), model.WriteOptions{})
	_, errMissing := n.DeleteVersion(t.Context(), "b", model.WriteOptions{})
	n.mustGet(t, "a")
	require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))

	require.Equal(t, []error{nil, errAgain}, w.written[model.CommandAdd])
	require.ErrorIs(t, errAgain, model.ErrAlreadyExists)
	require.Equal(t, []error{errMissing}, w.written[model.CommandDelete])
	require.Equal(t, 1, w.rounds[model.LevelLinearizable])
	require.Equal(t, []bool{true}, w.reloads)
}
