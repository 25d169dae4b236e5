package dao

import (
	"context"
	"time"

	"github.com/go-redis/redis/v8"
)

// redisLockKey is outside of what ScanIDs walks over.
const redisLockKey = "versiond:reload-lock"

// Both scripts look and act in one step: between two, the lock could expire and become another's.
const (
	extendLockScript = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end return 0`
	unlockScript     = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`
)

// TryLock takes the reload lock for ttl unless somebody has it, and tells whether it did. The token
// names the holder. The lock only spares work: nothing goes wrong when two hold it.
func (d *VersionRedisDao) TryLock(ctx context.Context, token string, ttl time.Duration) (bool, error) {
	taken, err := d.Client.SetNX(ctx, redisLockKey, token, ttl).Result()
	return taken, translateRedis("lock", err)
}

// ExtendLock makes the lock end ttl from now, and tells whether token still held it.
func (d *VersionRedisDao) ExtendLock(ctx context.Context, token string, ttl time.Duration) (bool, error) {
	extended, err := d.runLockScript(ctx, extendLockScript, token, ttl.Milliseconds())
	return extended, translateRedis("extend lock", err)
}

// Unlock gives the lock back, and tells whether token still held it.
func (d *VersionRedisDao) Unlock(ctx context.Context, token string) (bool, error) {
	released, err := d.runLockScript(ctx, unlockScript, token)
	return released, translateRedis("unlock", err)
}

func (d *VersionRedisDao) runLockScript(ctx context.Context, script string, args ...any) (bool, error) {
	count, err := redis.NewScript(script).Run(ctx, d.Client, []string{redisLockKey}, args...).Int()
	return count > 0, err
}
