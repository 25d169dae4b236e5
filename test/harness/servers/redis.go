package servers

import (
	"context"
	"net"
	"path/filepath"
	"strconv"

	"github.com/go-redis/redis/v8"
)

// RedisServer is a Redis with a directory of its own. Its methods may be called from any goroutine.
type RedisServer struct {
	*process
	// Addr is the server's host and port.
	Addr string
}

// StartRedis runs a Redis in dir that keeps everything in memory: after a Stop or Kill it starts
// empty, unless a test has sent SAVE. It returns when the server answers; ErrNotInstalled when there
// is none. The caller stops the server and removes dir.
func StartRedis(dir string) (*RedisServer, error) {
	program, err := Find("redis-server", "redis-server")
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	s := &RedisServer{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	args := []string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "", "--appendonly", "no"}
	s.process = &process{program: program, args: args, dir: dir, ready: s.ping}
	return s, s.Start()
}

func (s *RedisServer) ping(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1})
	defer client.Close()
	return client.Ping(ctx).Err()
}
