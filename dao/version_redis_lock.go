package dao

import (
	"context"
	"errors"
	"time"

	"github.com/go-redis/redis/v8"
)

// redisLockKey is outside of what ScanIDs walks over.
const redisLockKey = "versiond:reload-lock"

// TryLock takes the reload lock for ttl unless somebody has it, and reports whether it did. The token
// names the holder. The lock only spares work: nothing goes wrong when two hold it.
func (d *VersionRedisDao) TryLock(ctx context.Context, token string, ttl time.Duration) (bool, error) {
	taken, err := d.Client.SetNX(ctx, redisLockKey, token, ttl).Result()
	return taken, translateRedis("lock", err)
}

// ExtendLock makes the lock end ttl from now, and reports whether token still held it.
func (d *VersionRedisDao) ExtendLock(ctx context.Context, token string, ttl time.Duration) (bool, error) {
	var extended *redis.BoolCmd
	err := d.whileHeld(ctx, token, func(p redis.Pipeliner) { extended = p.PExpire(ctx, redisLockKey, ttl) })
	return extended != nil && extended.Val(), translateRedis("extend lock", err)
}

// Unlock releases the lock, and reports whether token still held it.
func (d *VersionRedisDao) Unlock(ctx context.Context, token string) (bool, error) {
	var removed *redis.IntCmd
	err := d.whileHeld(ctx, token, func(p redis.Pipeliner) { removed = p.Del(ctx, redisLockKey) })
	return removed != nil && removed.Val() > 0, translateRedis("unlock", err)
}

// whileHeld sends what do adds if token holds the lock, and only if nothing has happened to the lock in
// between. A script would do the same in one step, but many accounts may not run any.
func (d *VersionRedisDao) whileHeld(ctx context.Context, token string, do func(redis.Pipeliner)) error {
	err := d.Client.Watch(ctx, func(tx *redis.Tx) error {
		holder, err := tx.Get(ctx, redisLockKey).Result()
		if err != nil || holder != token {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { do(p); return nil })
		return err
	}, redisLockKey)
	if errors.Is(err, redis.Nil) || errors.Is(err, redis.TxFailedErr) {
		return nil // it is nobody's, or another's
	}
	return err
}
