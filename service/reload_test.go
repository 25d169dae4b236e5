package service

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
	"versiond/test/units"
)

// inRedis returns what Redis has for an id; nothing, or a damaged value, is a zero one.
func (n *testNode) inRedis(t *testing.T, id string) dao.CachedVersion {
	t.Helper()
	cached, err := n.redis.redisDao.Get(t.Context(), id)
	if err != nil {
		return dao.CachedVersion{}
	}
	return cached
}

func (n *testNode) cachedAs(r model.VersionDB) dao.CachedVersion {
	return dao.CachedVersion{VersionDB: r, Cluster: n.Term().Cluster}
}

// The reload is what mends a Redis that was emptied, lost writes or keeps what is gone. It must not
// touch keys that are none of its own.
func TestReloadMendsRedis(t *testing.T) {
	t.Parallel()
	var log lockedLog
	n := nodeOptions{redisDao: mustRedis(t), log: &log}.mustLead(t)
	redisClient := n.redis.redisDao.Client
	var records []model.VersionDB
	for _, id := range []string{"right", "missing", "older", "foreign", "garbage"} {
		records = append(records, n.mustAdd(t, id, "1").Record)
	}
	for _, r := range records {
		eventually(t, func() bool { return n.inRedis(t, r.ID) == n.cachedAs(r) })
	}
	ctx := t.Context()
	require.NoError(t, redisClient.Del(ctx, "version:missing").Err())
	older, foreign := n.cachedAs(records[2]), n.cachedAs(records[3])
	older.Revision--
	foreign.Cluster = "cluster2"
	require.NoError(t, n.redis.redisDao.SetMany(ctx, []dao.CachedVersion{older, foreign, n.cachedAs(record("orphan", "1"))}))
	require.NoError(t, redisClient.Set(ctx, "version:garbage", "{", 0).Err())
	require.NoError(t, redisClient.Set(ctx, "sessions:orphan", "theirs", 0).Err())
	require.NoError(t, redisClient.Set(ctx, "versions", "theirs", 0).Err())

	require.NoError(t, n.ReLoadCacheDataInternal(ctx))
	for _, r := range records {
		eventually(t, func() bool { return n.inRedis(t, r.ID) == n.cachedAs(r) })
	}
	keys, err := redisClient.Keys(ctx, "*").Result()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"version:right", "version:missing", "version:older", "version:foreign", "version:garbage", "sessions:orphan", "versions"}, keys,
		"orphans stay, others' keys are gone, or the lock was not given back")

	require.Contains(t, log.String(), "brought back in line\" written=4 deleted=1\n", "what was mended is not told")
	require.NoError(t, n.ReLoadCacheDataInternal(ctx))
	require.Equal(t, 1, strings.Count(log.String(), "brought back"), "nothing was to be mended")
}

// lockedLog is a log that may be read while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A Redis that all nodes share must be reloaded by one at a time, and a node that died while it did
// must not keep the others from it for ever.
func TestReloadTakesTurns(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	added := n.mustAdd(t, "a", "1").Record
	eventually(t, func() bool { return n.inRedis(t, "a") == n.cachedAs(added) })
	ctx := t.Context()
	require.NoError(t, n.redis.redisDao.DeleteMany(ctx, []string{"a"}))
	locked, err := n.redis.redisDao.TryLock(ctx, "another node", time.Minute)
	require.NoError(t, err)
	require.True(t, locked)

	require.NoError(t, n.ReLoadCacheDataInternal(ctx))
	require.Never(t, func() bool { return n.inRedis(t, "a").ID != "" }, 50*time.Millisecond, 10*time.Millisecond)
	released, err := n.redis.redisDao.Unlock(ctx, "another node")
	require.NoError(t, err)
	require.True(t, released, "the lock of another node was taken away")
	require.NoError(t, n.ReLoadCacheDataInternal(ctx))
	eventually(t, func() bool { return n.inRedis(t, "a") == n.cachedAs(added) })
}

// A reload that lost its lock, since it took too long, must stop: another node is at it.
func TestReloadStopsWithoutItsLock(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	_, err := n.redis.redisDao.TryLock(t.Context(), "another node", time.Minute)
	require.NoError(t, err)
	r := &redisReload{redis: n.redis, token: "mine"}
	require.ErrorIs(t, r.keepLock(t.Context()), errLockLost)
}

// A node whose store goes out of use in the middle of a reload, since its rows are wrong for instance, has an empty index. If
// this fails, it takes everything from a Redis that all nodes share.
func TestReloadDeletesNothingByAnEmptyIndex(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	require.NoError(t, n.redis.redisDao.SetMany(t.Context(), []dao.CachedVersion{{VersionDB: record("a", "1")}}))
	current := false
	r := &redisReload{redis: n.redis, records: n.mysql.records, current: func() bool { return current }}
	require.NoError(t, r.deleteOrphans(t.Context()))
	require.Equal(t, "a", n.inRedis(t, "a").ID)
	current = true
	require.NoError(t, r.deleteOrphans(t.Context()))
	require.Empty(t, n.inRedis(t, "a").ID)
}

// The reload passes page after page; with the whole table in memory a large registry would not fit.
func TestReloadPassesPageByPage(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	const count = 3 * storePageSize
	commands := make([]model.Command, count)
	for i := range commands {
		commands[i] = add(fmt.Sprintf("id-%05d", i), "1")
	}
	_, _, err := n.ApplyCommands(within(t, 20*time.Second), units.Singles(commands...))
	require.NoError(t, err)
	keys := func() int64 { return n.redis.redisDao.Client.DBSize(t.Context()).Val() }
	eventually(t, func() bool { return keys() == count })
	require.NoError(t, n.redis.redisDao.Client.FlushDB(t.Context()).Err())

	largest, pages := 0, 0
	view, _, err := n.node.OpenView(t.Context())
	require.NoError(t, err)
	require.NoError(t, n.mysql.GetAllVersions(t.Context(), view, func(page []model.Version) error {
		largest, pages = max(largest, len(page)), pages+1
		return nil
	}))
	require.NoError(t, view.Close())
	require.Equal(t, storePageSize, largest)
	require.Equal(t, 3, pages)
	require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
	eventually(t, func() bool { return keys() == count })
}

// Without Redis, and on a node whose store is not in use, the ticker has nothing to do and must not
// fail: it would fill the log.
func TestReloadWithNothingToDo(t *testing.T) {
	require.NoError(t, nodeOptions{}.mustOpen(t).ReLoadCacheDataInternal(t.Context()))
	redisDao := mustRedis(t)
	require.NoError(t, redisDao.SetMany(t.Context(), []dao.CachedVersion{{VersionDB: record("a", "1")}}))
	waiting := nodeOptions{redisDao: redisDao}.mustOpen(t)
	require.NoError(t, waiting.ReLoadCacheDataInternal(t.Context()))
	require.Equal(t, "a", waiting.inRedis(t, "a").ID, "a node that knows of no records deleted everybody's")
}
