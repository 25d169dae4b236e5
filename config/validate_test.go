package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestValidateRefuses(t *testing.T) {
	dsn := func(text string) func(*Config) { return func(c *Config) { c.MySQL.DSN = Secret(text) } }
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"DSN that does not parse", dsn("not a dsn"), "mysql.dsn: cannot be parsed"},
		{"DSN with a wrong parameter", dsn("u:p@tcp(db)/versions?parseTime=perhaps"), "mysql.dsn: cannot be parsed"},
		{"DSN without a database", dsn("u:p@tcp(db:3306)/"), "mysql.dsn: names no database"},
		{"database name too long", dsn("u:p@tcp(db:3306)/" + strings.Repeat("x", 59)), "makes 65 characters"},
		{"redis without port", func(c *Config) { c.Redis.Addr = "redis" }, "redis.addr: is not host:port; a right value is 127.0.0.1:6379"},
		{"redis without host", func(c *Config) { c.Redis.Addr = ":6379" }, "redis.addr: is not host:port"},
		{"redis port", func(c *Config) { c.Redis.Addr = "redis:99999" }, "redis.addr: has a port outside 1 to 65535"},
		{"redis database", func(c *Config) { c.Redis.DB = -1 }, "redis.db: is -1"},
		{"capacity", func(c *Config) { c.MemoryDB.Capacity = 0 }, "memoryDB.capacity: is 0"},
		{"ratio zero", func(c *Config) { c.MemoryDB.EvictRatio = 0 }, "memoryDB.evictRatio: is 0"},
		{"ratio above one", func(c *Config) { c.MemoryDB.EvictRatio = 1.01 }, "memoryDB.evictRatio: is 1.01"},
		{"ratio not a number", func(c *Config) { c.MemoryDB.EvictRatio = math.NaN() }, "memoryDB.evictRatio: is NaN"},
		{"reload interval", func(c *Config) { c.Server.ReloadInterval = 0 }, "server.reloadInterval: is 0s; it has to be above 0; a right value is 30s"},
		{"delete interval", func(c *Config) { c.Server.PeriodicDeleteInterval = -1 }, "server.periodicDeleteInterval: is -1ns"},
		{"examine size", func(c *Config) { c.Server.ExamineSize = 0 }, "server.examineSize: is 0"},
		{"an interval that never ends", func(c *Config) { c.Server.ReloadInterval = 999_999 * time.Hour }, "server.reloadInterval: is 999999h0m0s; it has to be at most 8760h0m0s"},
		{"another one", func(c *Config) { c.Raft.SnapshotInterval = 1_500_000 * time.Hour }, "raft.snapshotInterval: is 1500000h0m0s; it has to be at most"},
		{"snapshot interval", func(c *Config) { c.Raft.SnapshotInterval = time.Millisecond }, "raft.snapshotInterval: is 1ms"},
		{"snapshot threshold", func(c *Config) { c.Raft.SnapshotThreshold = 0 }, "raft.snapshotThreshold: is 0"},
		{"trailing logs", func(c *Config) { c.Raft.TrailingLogs = -1 }, "raft.trailingLogs: is -1"},
		{"segment", func(c *Config) { c.Raft.SegmentBytes = 1000 }, "raft.segmentBytes: is 1000"},
		{"bind with port", func(c *Config) { c.Server.Bind = "0.0.0.0:80" }, `server.bind: is "0.0.0.0:80"`},
		{"bind with brackets", func(c *Config) { c.Server.Bind = "[::]" }, `server.bind: is "[::]"`},
		{"trusted host with port", func(c *Config) { c.Server.TrustedHosts = []string{"a.example", "b.example:80"} }, `server.trustedHosts[1]: is "b.example:80"`},
		{"trusted origin without scheme", func(c *Config) { c.Server.TrustedOrigins = []string{"a.example"} }, `server.trustedOrigins[0]: is "a.example"`},
		{"trusted origin with path", func(c *Config) { c.Server.TrustedOrigins = []string{"https://a.example/"} }, "without a slash at its end"},
		{"trusted origin in capitals", func(c *Config) { c.Server.TrustedOrigins = []string{"https://A.example"} }, "in lower case"},
		{"trusted origin with the usual port", func(c *Config) { c.Server.TrustedOrigins = []string{"https://a.example:443"} }, "without this port"},
		{"log level", func(c *Config) { c.Log.Level = "loud" }, `log.level: is "loud"; it has to be one of debug, info, warn, error`},
		{"log format", func(c *Config) { c.Log.Format = "xml" }, `log.format: is "xml"`},
		{"data directory", func(c *Config) { c.DataDir = "" }, "dataDir: is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOneProblem(t, withConfig(tt.change), tt.want) })
	}
}

// requireOneProblem also holds that a wrong setting is reported once, with a right value.
func requireOneProblem(t *testing.T, c Config, want string) {
	t.Helper()
	err := c.Validate()
	require.ErrorContains(t, err, want)
	require.Contains(t, err.Error(), "; a right value is ")
	require.NotContains(t, err.Error(), "\n")
}

func TestValidateAllowsTheLimits(t *testing.T) {
	tests := map[string]func(*Config){
		"longest database name": func(c *Config) { c.MySQL.DSN = Secret("u@tcp(db)/" + strings.Repeat("x", 58)) },
		"characters, not bytes": func(c *Config) { c.MySQL.DSN = Secret("u@tcp(db)/" + strings.Repeat("é", 58)) },
		"socket":                func(c *Config) { c.MySQL.DSN = "u:p@unix(/run/mysqld.sock)/versions" },
		"whole cache dropped":   func(c *Config) { c.MemoryDB.EvictRatio = 1 },
		"one cached record":     func(c *Config) { c.MemoryDB.Capacity = 1 },
		"bind to all":           func(c *Config) { c.Server.Bind = "0.0.0.0" },
		"bind to all, IPv6":     func(c *Config) { c.Server.Bind = "::" },
		"host names":            func(c *Config) { c.Redis.Addr = "my_redis.example.net.:6379" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) { require.NoError(t, withOpenConfig(change).Validate()) })
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	err := Config{Raft: Raft{Nodes: []Node{{}}}}.Validate()
	for _, key := range []string{
		"memoryDB.capacity", "memoryDB.evictRatio", "server.reloadInterval", "server.periodicDeleteInterval",
		"server.examineSize", "log.level", "log.format", "dataDir", "raft.nodes[0].id", "raft.nodes[0].address", "raft.nodes[0].port",
	} {
		require.ErrorContains(t, err, key+": ")
	}
}

func TestValidateErrorsHoldNoSecret(t *testing.T) {
	tests := map[string]func(*Config){
		"no slash":            func(c *Config) { c.MySQL.DSN = "root:hunter2@tcp(db:3306)" },
		"slash in it":         func(c *Config) { c.MySQL.DSN = "root:x/hunter2@tcp(db:3306)" },
		"question mark in it": func(c *Config) { c.MySQL.DSN = "root:a/b?tls=hunter2@tcp(db:3306)" },
		"bool from it":        func(c *Config) { c.MySQL.DSN = "root:a/b?parseTime=hunter2" },
		"long name":           func(c *Config) { c.MySQL.DSN = Secret("root:x/hunter2" + strings.Repeat("x", 60)) },
		"redis URL":           func(c *Config) { c.Redis.Addr = "redis://:hunter2@redis:6379" },
		"redis user info":     func(c *Config) { c.Redis.Addr = "hunter2@redis:6379" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			c := withConfig(change)
			c.DataDir = "" // so that there is an error to look at
			err := c.Validate()
			require.Error(t, err)
			require.NotContains(t, err.Error(), secretText)
		})
	}
}
