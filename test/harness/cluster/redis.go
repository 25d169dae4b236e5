package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-redis/redis/v8"

	"versiond/dao"
	"versiond/model"
	"versiond/test/harness/servers"
)

const redisKeyPrefix = "version:"

// servers returns the store of a cluster that runs on servers, nil when it runs embedded.
func (c *Cluster) servers() *serverStore {
	switch s := c.store.(type) {
	case *serverStore:
		return s
	case *perNodeStore:
		return s.serverStore
	}
	return nil
}

// RedisClient asks the cluster's Redis, past every proxy. It is nil where the cluster has none.
func (c *Cluster) RedisClient() *redis.Client {
	if s := c.servers(); s != nil {
		return s.redis
	}
	return nil
}

// RedisServer is where the cluster's Redis database is. It is nil where the cluster has none.
func (c *Cluster) RedisServer() *servers.RedisServer {
	if c.cfg.Shared == nil {
		return nil
	}
	return c.cfg.Shared.Redis(c.t)
}

// Redis returns every cached record, by id. It is empty where the cluster has no Redis. A key of ours whose
// value is none of ours is an error.
func (c *Cluster) Redis(ctx context.Context) (map[string]dao.CachedVersion, error) {
	s := c.servers()
	if s == nil {
		return nil, nil
	}
	cached := map[string]dao.CachedVersion{}
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		keys, next, err := s.redis.Scan(ctx, cursor, redisKeyPrefix+"*", pageSize).Result()
		if err != nil {
			return nil, err
		}
		if err := s.readCached(ctx, keys, cached); err != nil {
			return nil, err
		}
		cursor = next
	}
	return cached, nil
}

func (s *serverStore) readCached(ctx context.Context, keys []string, into map[string]dao.CachedVersion) error {
	if len(keys) == 0 {
		return nil
	}
	values, err := s.redis.MGet(ctx, keys...).Result()
	if err != nil {
		return err
	}
	for i, value := range values {
		text, there := value.(string)
		if !there {
			if err := s.requireGone(ctx, keys[i]); err != nil {
				return err
			}
			continue
		}
		var v dao.CachedVersion
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return fmt.Errorf("the value of %s: %w", keys[i], err)
		}
		into[strings.TrimPrefix(keys[i], redisKeyPrefix)] = v
	}
	return nil
}

// requireGone returns an error for a key whose value is no text, and none for a key that was deleted since the scan.
func (s *serverStore) requireGone(ctx context.Context, key string) error {
	kind, err := s.redis.Type(ctx, key).Result()
	if err != nil || kind == "none" || kind == "string" {
		return err
	}
	return fmt.Errorf("the value of %s is a %s", key, kind)
}

// compareCached returns how a cached value contradicts the rows. An older revision does not, nor does another
// record: readers see that the value is not theirs.
func compareCached(id string, cached dao.CachedVersion, rows map[string]model.Version, cluster string) error {
	row, exists := rows[id]
	switch {
	case cached.ID != id, cached.Cluster != cluster, !exists:
		return nil
	case cached.Revision > row.Revision:
		return fmt.Errorf("redis has %q at revision %d, the databases at %d", id, cached.Revision, row.Revision)
	case cached.Revision == row.Revision && !reflect.DeepEqual(cached.VersionDB, recordOf(row)):
		return fmt.Errorf("redis has %+v where the databases have %+v", cached.VersionDB, row)
	}
	return nil
}

// compareReloaded returns how Redis differs from the rows after a reload: it has them all, and nothing else.
func compareReloaded(cached map[string]dao.CachedVersion, rows map[string]model.Version, cluster string) error {
	for id := range cached {
		if _, exists := rows[id]; !exists {
			return fmt.Errorf("redis still has %q, which no database has", id)
		}
	}
	for id, row := range rows {
		if c := cached[id]; !reflect.DeepEqual(c.VersionDB, recordOf(row)) || c.Cluster != cluster {
			return fmt.Errorf("redis has %+v for %+v of cluster %s", c, row, cluster)
		}
	}
	return nil
}

func recordOf(v model.Version) model.VersionDB { return model.VersionDB(v) }
