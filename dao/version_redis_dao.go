package dao

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-redis/redis/v8"

	"versiond/model"
)

const (
	redisKeyPrefix = "version:"
	// redisBatchMax bounds what one round trip carries, as Redis serves nobody else meanwhile.
	redisBatchMax = 1000
)

// CachedVersion is a record as it stands in Redis, as JSON that other programs may read. Cluster is
// the ID of the cluster it comes from: what a cluster before left there, or another one by mistake, counts for nothing.
type CachedVersion struct {
	model.VersionDB
	Cluster string `json:"cluster"`
}

// VersionRedisDao keeps copies of records in Redis under version:<id>. They are never the truth: the
// reader judges each by its revision and cluster. Any goroutine may call it.
//
// Errors that are none of the named ones mean that Redis did not answer as it should.
type VersionRedisDao struct {
	Client *redis.Client
}

// Ping returns nil when Redis answers.
func (d *VersionRedisDao) Ping(ctx context.Context) error {
	return translateRedis("ping", d.Client.Ping(ctx).Err())
}

// Get reads one copy; model.ErrNotFound when there is none, model.ErrCorrupt when the value is not
// one that this project wrote for the id.
func (d *VersionRedisDao) Get(ctx context.Context, id string) (CachedVersion, error) {
	value, err := d.Client.Get(ctx, redisKey(id)).Result()
	if err != nil {
		return CachedVersion{}, translateRedis("get", err)
	}
	cached, err := decodeCached(id, value)
	return cached, translateRedis("get", err)
}

// GetMany reads copies by id. Ids that have none, or a damaged one, are not in the answer.
func (d *VersionRedisDao) GetMany(ctx context.Context, ids []string) (map[string]CachedVersion, error) {
	found := make(map[string]CachedVersion, len(ids))
	for chunk := range slices.Chunk(ids, redisBatchMax) {
		values, err := d.Client.MGet(ctx, redisKeys(chunk)...).Result()
		if err != nil {
			return nil, translateRedis("mget", err)
		}
		for i, value := range values {
			text, _ := value.(string) // nil where there is no value: not JSON, left out
			if cached, err := decodeCached(chunk[i], text); err == nil {
				found[chunk[i]] = cached
			}
		}
	}
	return found, nil
}

// SetMany writes copies, over those that are there. After an error some may have been written.
func (d *VersionRedisDao) SetMany(ctx context.Context, versions []CachedVersion) error {
	for chunk := range slices.Chunk(versions, redisBatchMax) {
		if err := d.setChunk(ctx, chunk); err != nil {
			return translateRedis("set", err)
		}
	}
	return nil
}

func (d *VersionRedisDao) setChunk(ctx context.Context, versions []CachedVersion) error {
	pipeline := d.Client.Pipeline()
	for _, v := range versions {
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		pipeline.Set(ctx, redisKey(v.ID), value, 0)
	}
	_, err := pipeline.Exec(ctx)
	return err
}

// DeleteMany removes copies; those that are not there are no error.
func (d *VersionRedisDao) DeleteMany(ctx context.Context, ids []string) error {
	for chunk := range slices.Chunk(ids, redisBatchMax) {
		if err := d.Client.Del(ctx, redisKeys(chunk)...).Err(); err != nil {
			return translateRedis("del", err)
		}
	}
	return nil
}

// ScanIDs walks over the ids that have a value: it begins with cursor 0 and has seen all that were
// there throughout when next is 0 again. An id may come twice; count is about how many keys a step
// looks at.
func (d *VersionRedisDao) ScanIDs(ctx context.Context, cursor uint64, count int64) (ids []string, next uint64, err error) {
	keys, next, err := d.Client.Scan(ctx, cursor, redisKeyPrefix+"*", count).Result()
	if err != nil {
		return nil, 0, translateRedis("scan", err)
	}
	for i, key := range keys {
		keys[i] = strings.TrimPrefix(key, redisKeyPrefix)
	}
	return keys, next, nil
}

func redisKey(id string) string { return redisKeyPrefix + id }

func redisKeys(ids []string) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = redisKey(id)
	}
	return keys
}

func decodeCached(id, value string) (CachedVersion, error) {
	var cached CachedVersion
	if err := json.Unmarshal([]byte(value), &cached); err != nil {
		return CachedVersion{}, fmt.Errorf("%w: redis value of %q: %w", model.ErrCorrupt, id, err)
	}
	if cached.ID != id {
		return CachedVersion{}, fmt.Errorf("%w: redis value of %q is that of %q", model.ErrCorrupt, id, cached.ID)
	}
	return cached, nil
}
