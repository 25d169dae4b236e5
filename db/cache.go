package db

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
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

// RedisAccount is where a Redis is, and how to be let in.
type RedisAccount struct {
	Addr string
	// Username is that of an ACL; empty is the default user.
	Username, Password string
	DB                 int
	// TLS encrypts connections. The server is checked against CAFile, or against the authorities of this
	// machine when that is empty, and shown the certificate in CertFile and KeyFile, if there is one.
	TLS                       bool
	CAFile, CertFile, KeyFile string
}

// OpenRedis prepares a node's connections to Redis. It never connects: Redis may be down when a node
// starts, and calls fail until it is up. Files that cannot be used are an error. Close the client when
// the node ends.
func OpenRedis(a RedisAccount) (*redis.Client, error) {
	options := &redis.Options{
		Addr:         a.Addr,
		Username:     a.Username,
		Password:     a.Password,
		DB:           a.DB,
		DialTimeout:  redisDialTimeout,
		ReadTimeout:  redisIOTimeout,
		WriteTimeout: redisIOTimeout,
		PoolTimeout:  redisPoolTimeout,
		PoolSize:     connectionsMax,
		IdleTimeout:  connectionIdleTimeMax,
		MaxRetries:   redisRetriesMax,
	}
	if a.TLS {
		if _, err := a.tlsConfig(); err != nil {
			return nil, err
		}
		options.Dialer = a.dialTLS
	}
	return redis.NewClient(options), nil
}

// dialTLS reads the files anew for every connection, so that certificates may change.
func (a RedisAccount) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	cfg, err := a.tlsConfig()
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: redisDialTimeout}, Config: cfg}
	return dialer.DialContext(ctx, network, addr)
}

func (a RedisAccount) tlsConfig() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CAFile != "" {
		text, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("redis.caFile: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("redis.caFile: %s holds no certificate in PEM", a.CAFile)
		}
	}
	if a.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("redis.certFile and redis.keyFile: %w", err)
		}
		cfg.Certificates = []tls.Certificate{certificate}
	}
	return cfg, nil
}
