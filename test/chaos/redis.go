package chaos

import (
	"fmt"
	"time"

	"github.com/go-redis/redis/v8"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	// redisDelay is what a round trip to a slow Redis takes: much longer than one to MySQL.
	redisDelay = 300 * time.Millisecond
	// disturbPause is between two disturbances of a fault that goes on.
	disturbPause = 100 * time.Millisecond
	disturbances = 30
)

// redisFaults are those of the one Redis that all nodes share. After each of them it has to be brought back
// to what the tables hold by the nodes alone.
func redisFaults() []Fault {
	const promise = "Reads stay right and writes go on; the reload mends the cache."
	fault := func(name string, lasts time.Duration, inject func(r *Round) func()) Fault {
		return Fault{Name: name, Promise: promise, Modes: []Mode{MySQL}, Lasts: lasts, LeastDuring: 300, Inject: inject}
	}
	return []Fault{
		fault("Redis stopped", 4*time.Second, stopRedis),
		fault("Redis frozen", 4*time.Second, freezeRedis),
		fault("Redis slow", 4*time.Second, slowRedis),
		fault("Redis flushed, over and over", 0, func(r *Round) func() { return disturbRedis(r, flushRedis) }),
		fault("Redis full, with noeviction", 4*time.Second, fillRedis),
		fault("Redis with garbage under our keys", 0, func(r *Round) func() { return disturbRedis(r, spoilRedis) }),
	}
}

func stopRedis(r *Round) (heal func()) {
	r.TB.Helper()
	server := r.Cluster.RedisServer()
	require.NoError(r.TB, server.Kill())
	return func() { require.NoError(r.TB, server.Start()) }
}

func freezeRedis(r *Round) (heal func()) {
	r.TB.Helper()
	server := r.Cluster.RedisServer()
	require.NoError(r.TB, server.Pause())
	return func() { require.NoError(r.TB, server.Resume()) }
}

func slowRedis(r *Round) (heal func()) {
	r.TB.Helper()
	onEveryNode(r, func(n *cluster.Node) error { n.Lines.Redis.Slow(redisDelay); return nil })
	return func() { onEveryNode(r, func(n *cluster.Node) error { return n.Lines.Redis.Heal() }) }
}

// fillRedis leaves Redis no room at all, so that it refuses every write and evicts nothing, and returns what ends that.
func fillRedis(r *Round) (heal func()) {
	r.TB.Helper()
	client := r.Cluster.RedisClient()
	set := func(name, value string) { require.NoError(r.TB, client.ConfigSet(r.TB.Context(), name, value).Err()) }
	set("maxmemory-policy", "noeviction")
	set("maxmemory", "1")
	require.ErrorContains(r.TB, client.Set(r.TB.Context(), "probe", "x", 0).Err(), "OOM", "Redis is not full")
	return func() { set("maxmemory", "0") }
}

// disturbRedis does the same again and again while clients are at work.
func disturbRedis(r *Round, once func(r *Round, client *redis.Client)) (heal func()) {
	r.TB.Helper()
	for range disturbances {
		once(r, r.Cluster.RedisClient())
		r.Hold(disturbPause)
	}
	return func() {}
}

func flushRedis(r *Round, client *redis.Client) {
	r.TB.Helper()
	require.NoError(r.TB, client.FlushDB(r.TB.Context()).Err())
}

// spoilRedis replaces some values, each in one of the ways of garbage, and adds keys of records that are not.
func spoilRedis(r *Round, client *redis.Client) {
	r.TB.Helper()
	ctx := r.TB.Context()
	keys, err := client.Keys(ctx, redisKeys).Result()
	require.NoError(r.TB, err)
	keys = append(keys, fmt.Sprintf("version:invented-%d", r.Random.IntN(10)))
	for range 20 {
		key := keys[r.Random.IntN(len(keys))]
		value, err := client.Get(ctx, key).Result()
		if err != nil {
			value = `{"id":"invented","versionNo":"1","platform":"linux","revision":1,"cluster":"none"}` // a key of no record, or of a list
		}
		require.NoError(r.TB, garbage[r.Random.IntN(len(garbage))](r, client, key, value))
	}
}
