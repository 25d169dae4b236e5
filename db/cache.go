package db

import (
	"time"

	"github.com/go-redis/redis/v8"
)

// The cache is worth waiting for only briefly: whatever it does not answer is read from the database.
const (
	redisDialTimeout = time.Second
	redisIOTimeout   = 500 * time.Millisecond
	redisPoolTimeout = 500 * time.Millisecond
	redisRetriesMax  = 1
)

// OpenRedis prepares a node's connections to Redis. It never connects: Redis may be down when a node
// starts, and calls fail until it is up. Close the client when the node ends.
func OpenRedis(addr, password string, database int) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:         addr,
		Password:     password,
		DB:           database,
		DialTimeout:  redisDialTimeout,
		ReadTimeout:  redisIOTimeout,
		WriteTimeout: redisIOTimeout,
		PoolTimeout:  redisPoolTimeout,
		PoolSize:     connectionsMax,
		IdleTimeout:  connectionIdleTimeMax,
		MaxRetries:   redisRetriesMax,
	})
}
