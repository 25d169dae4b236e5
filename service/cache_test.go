package service

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/test/harness/servers"
)

// poison puts a value into Redis and takes the right one out of MemoryDB, so that Redis is asked.
func (n *testNode) poison(t *testing.T, id, value string) {
	t.Helper()
	require.NoError(t, n.redis.redisDao.Client.Set(t.Context(), "version:"+id, value, 0).Err())
	n.redis.memory.Delete(id)
}

// A cache may hold anything: an old dump, another cluster's values, somebody's typing. None of it may
// reach a reader, and each read must put right what it found wrong.
func TestPoisonedRedisReachesNobody(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	right := n.mustAdd(t, "a", "1.0.0").Record
	forge := func(change func(*dao.CachedVersion)) string {
		c := dao.CachedVersion{VersionDB: right, Cluster: n.Term().Cluster}
		c.VersionNo = "poison"
		change(&c)
		value, err := json.Marshal(c)
		require.NoError(t, err)
		return string(value)
	}
	for name, value := range map[string]string{
		"older revision":  forge(func(c *dao.CachedVersion) { c.Revision-- }),
		"newer revision":  forge(func(c *dao.CachedVersion) { c.Revision++ }),
		"no revision":     forge(func(c *dao.CachedVersion) { c.Revision = 0 }),
		"other cluster":   forge(func(c *dao.CachedVersion) { c.Cluster = "cluster2" }),
		"no cluster":      forge(func(c *dao.CachedVersion) { c.Cluster = "" }),
		"other content":   forge(func(c *dao.CachedVersion) { c.VersionNo = "forged" }),
		"other id inside": forge(func(c *dao.CachedVersion) { c.ID = "b" }),
		"garbage":         "{{{", "empty": "", "null": "null", "a list": "[1,2]", "half": `{"id":"a",`,
		"negative": `{"id":"a","revision":-1}`, "text for a number": `{"id":"a","revision":"7"}`,
	} {
		for _, level := range []model.Level{model.LevelNone, model.LevelLeader, model.LevelLinearizable} {
			t.Run(name+" at "+string(level), func(t *testing.T) {
				n.poison(t, "a", value)
				result, err := n.GetVersionByID(within(t, 5*time.Second), "a", model.ReadOptions{Level: level})
				require.NoError(t, err)
				require.Equal(t, right, result.Record)
				eventually(t, func() bool {
					cached, err := n.redis.redisDao.Get(t.Context(), "a")
					return err == nil && cached.VersionDB == right && cached.Cluster == n.Term().Cluster
				})
			})
		}
	}
}

// An id that is not there must stay so, however convincing the caches are.
func TestCachesCannotInventRecords(t *testing.T) {
	t.Parallel()
	n := nodeOptions{redisDao: mustRedis(t)}.mustLead(t)
	added := n.mustAdd(t, "a", "1.0.0").Record
	value, err := json.Marshal(dao.CachedVersion{VersionDB: added, Cluster: n.Term().Cluster})
	require.NoError(t, err)
	_, err = n.DeleteVersion(t.Context(), "a", model.WriteOptions{})
	require.NoError(t, err)
	n.poison(t, "a", string(value))
	n.redis.memory.Put(version("never", 5))
	for _, id := range []string{"a", "never"} {
		_, err := n.GetVersionByID(within(t, 5*time.Second), id, model.ReadOptions{Level: model.LevelLinearizable})
		require.ErrorIs(t, err, model.ErrNotFound, id)
	}
}

// A stale value in MemoryDB is what a slow reader leaves behind when it puts back what it read before
// a write. It must not be read.
func TestStaleMemoryReachesNobody(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	right := n.mustAdd(t, "a", "1.0.0").Record
	for _, revision := range []uint64{right.Revision - 1, right.Revision + 1, 0} {
		n.redis.memory.Put(version("a", revision))
		require.Equal(t, right, n.mustGet(t, "a"))
	}
	require.Equal(t, right, n.mustGet(t, "a"), "from MemoryDB now")
	fresh, ok := n.redis.memory.Get("a")
	require.True(t, ok)
	require.Equal(t, right.Revision, fresh.Revision, "the read has put MemoryDB right")
}

// Redis is only a cache: while it is down or hangs reads must be right and quick and writes go on,
// and when it is back, emptied, it must be used again.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	server := servers.Redis(t)
	client, err := db.OpenRedis(db.RedisAccount{Addr: server.Addr})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	n := nodeOptions{redisDao: &dao.VersionRedisDao{Client: client}}.mustLead(t)
	n.mustAdd(t, "before", "1")
	inRedis := func(id string) bool {
		_, err := n.redis.redisDao.Get(t.Context(), id)
		return err == nil
	}
	eventually(t, func() bool { return inRedis("before") })

	require.NoError(t, server.Pause())
	n.redis.memory.Clear()
	began := time.Now()
	require.Equal(t, "1", n.mustGet(t, "before").VersionNo)
	require.Less(t, time.Since(began), 2*time.Second, "a read waits for a Redis that hangs")
	require.NoError(t, server.Resume())

	require.NoError(t, server.Kill())
	for i := range 20 {
		id := fmt.Sprint("during-", i)
		n.mustAdd(t, id, "1")
		n.redis.memory.Clear()
		require.Equal(t, "1", n.mustGet(t, id).VersionNo)
	}
	require.Error(t, n.ReLoadCacheDataInternal(t.Context()), "the ticker must be told that it failed")
	require.Empty(t, failing(n.Readiness(t.Context())), "a node without its cache serves")

	require.NoError(t, server.Start())
	n.mustAdd(t, "after", "1")
	eventually(t, func() bool { return inRedis("after") || n.mustWriteAgain(t) })
	require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
	eventually(t, func() bool { return inRedis("before") && inRedis("during-7") })
}

// mustWriteAgain writes once more: what was queued while Redis was down may have been dropped.
func (n *testNode) mustWriteAgain(t *testing.T) bool {
	t.Helper()
	_, err := n.UpdateVersion(t.Context(), record("after", "2"), model.WriteOptions{})
	require.NoError(t, err)
	return false
}
