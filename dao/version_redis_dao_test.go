package dao_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/test/harness/servers"
)

// TestRedisReadsWhatItWrote breaks when a copy loses a field on its way through Redis.
func TestRedisReadsWhatItWrote(t *testing.T) {
	d, ctx := mustOpenRedis(t, servers.Redis(t).Addr), t.Context()
	require.NoError(t, d.Ping(ctx))
	_, err := d.Get(ctx, "a")
	require.ErrorIs(t, err, model.ErrNotFound)

	require.NoError(t, d.SetMany(ctx, []dao.CachedVersion{cached("a", 1), cached("a ", 1<<53-1), cached("a", 2)}))
	for _, want := range []dao.CachedVersion{cached("a", 2), cached("a ", 1<<53-1)} {
		got, err := d.Get(ctx, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	require.NoError(t, d.DeleteMany(ctx, []string{"a ", "missing"}))
	_, err = d.Get(ctx, "a ")
	require.ErrorIs(t, err, model.ErrNotFound)
	require.NoError(t, d.SetMany(ctx, nil))
	require.NoError(t, d.DeleteMany(ctx, nil))
}

// TestRedisValueFormat breaks when other programs can no longer read what we write.
func TestRedisValueFormat(t *testing.T) {
	d := mustOpenRedis(t, servers.Redis(t).Addr)
	require.NoError(t, d.SetMany(t.Context(), []dao.CachedVersion{cached("a", 7)}))
	value, err := d.Client.Get(t.Context(), "version:a").Result()
	require.NoError(t, err)
	require.Equal(t, `{"id":"a","versionNo":"1.0","platform":"linux","revision":7,"cluster":"c1"}`, value)
}

// TestRedisGarbage breaks when a value that we did not write is taken for a record.
func TestRedisGarbage(t *testing.T) {
	d, ctx := mustOpenRedis(t, servers.Redis(t).Addr), t.Context()
	for _, value := range []string{"", "x", "null", "{}", `{"id":"other"}`, `{"id":"a","revision":-1}`} {
		require.NoError(t, d.Client.Set(ctx, "version:a", value, 0).Err())
		_, err := d.Get(ctx, "a")
		require.ErrorIs(t, err, model.ErrCorrupt, value)
		found, err := d.GetMany(ctx, []string{"a"})
		require.NoError(t, err)
		require.Empty(t, found, value)
	}
}

// TestRedisMany breaks when long lists lose their tail, or a walk misses a key or shows a foreign one.
func TestRedisMany(t *testing.T) {
	d, ctx := mustOpenRedis(t, servers.Redis(t).Addr), t.Context()
	want, ids := map[string]dao.CachedVersion{}, []string{"missing"}
	var all []dao.CachedVersion
	for i := range 2500 {
		v := cached(fmt.Sprintf("version:%d", i), uint64(i))
		want[v.ID], ids, all = v, append(ids, v.ID), append(all, v)
	}
	require.NoError(t, d.SetMany(ctx, all))
	got, err := d.GetMany(ctx, ids)
	require.NoError(t, err)
	require.Equal(t, want, got)

	require.NoError(t, d.Client.Set(ctx, "other:key", "x", 0).Err())
	_, err = d.TryLock(ctx, "token", time.Minute)
	require.NoError(t, err)
	require.Equal(t, ids[1:], mustScan(t, d, ids[1:]))

	require.NoError(t, d.DeleteMany(ctx, ids))
	require.Empty(t, mustScan(t, d, nil))
}

// TestRedisLock breaks when two nodes reload at once, or when one ends or extends the other's lock.
func TestRedisLock(t *testing.T) {
	d, ctx := mustOpenRedis(t, servers.Redis(t).Addr), t.Context()
	require.True(t, must(d.TryLock(ctx, "one", time.Minute))(t))
	require.False(t, must(d.TryLock(ctx, "two", time.Minute))(t))
	require.False(t, must(d.ExtendLock(ctx, "two", time.Minute))(t))
	require.False(t, must(d.Unlock(ctx, "two"))(t))
	require.True(t, must(d.ExtendLock(ctx, "one", time.Hour))(t))
	require.Greater(t, d.Client.PTTL(ctx, "versiond:reload-lock").Val(), 59*time.Minute)
	require.True(t, must(d.Unlock(ctx, "one"))(t))
	require.False(t, must(d.ExtendLock(ctx, "one", time.Hour))(t))

	require.True(t, must(d.TryLock(ctx, "two", 10*time.Millisecond))(t))
	require.Eventually(t, func() bool { return must(d.TryLock(ctx, "one", time.Minute))(t) }, 5*time.Second, 5*time.Millisecond,
		"the lock of a node that died must end")
}

// TestRedisDown breaks when a dead Redis looks like one that knows nothing, or is never used again.
func TestRedisDown(t *testing.T) {
	server, ctx := servers.Redis(t), t.Context()
	d := mustOpenRedis(t, server.Addr)
	require.NoError(t, d.SetMany(ctx, []dao.CachedVersion{cached("a", 1)}))
	require.NoError(t, server.Kill())

	_, err := d.Get(ctx, "a")
	require.Error(t, err)
	require.NotErrorIs(t, err, model.ErrNotFound)
	_, err = d.GetMany(ctx, []string{"a"})
	require.Error(t, err)
	require.Error(t, d.SetMany(ctx, []dao.CachedVersion{cached("a", 1)}))
	require.Error(t, d.DeleteMany(ctx, []string{"a"}))
	_, _, err = d.ScanIDs(ctx, 0, 10)
	require.Error(t, err)
	require.Error(t, d.Ping(ctx))

	require.NoError(t, server.Start())
	require.NoError(t, d.Ping(ctx))
}

func mustOpenRedis(t *testing.T, addr string) *dao.VersionRedisDao {
	t.Helper()
	return mustOpenAccount(t, db.RedisAccount{Addr: addr})
}

func mustOpenAccount(t *testing.T, account db.RedisAccount) *dao.VersionRedisDao {
	t.Helper()
	client, err := db.OpenRedis(account)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return &dao.VersionRedisDao{Client: client}
}

// mustScan walks over all ids and returns them in the order of want, then any others.
func mustScan(t *testing.T, d *dao.VersionRedisDao, want []string) []string {
	t.Helper()
	seen := map[string]bool{}
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		ids, next, err := d.ScanIDs(t.Context(), cursor, 100)
		require.NoError(t, err)
		for _, id := range ids {
			seen[id] = true
		}
		cursor = next
	}
	var got []string
	for _, id := range want {
		if seen[id] {
			got = append(got, id)
			delete(seen, id)
		}
	}
	for id := range seen {
		got = append(got, id)
	}
	return got
}

func must[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		require.NoError(t, err)
		return value
	}
}

func cached(id string, revision uint64) dao.CachedVersion {
	return dao.CachedVersion{
		VersionDB: model.VersionDB{ID: id, VersionNo: "1.0", Platform: "linux", Revision: revision},
		Cluster:   "c1",
	}
}
