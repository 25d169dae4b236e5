package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFile(t *testing.T) {
	tests := []struct {
		name, text string
		change     func(*Config)
	}{
		{"empty", "", func(*Config) {}},
		{"comments alone", "# nothing\n", func(*Config) {}},
		{"null document", "---\n", func(*Config) {}},
		{"section with every line commented out", "mysql:\n  # dsn: x\n", func(*Config) {}},
		{"null keeps the default", "dataDir:\nraft: {nodes: ~}\n", func(*Config) {}},
		{"text that looks like a number stays as it is written", "redis: {password: 0123}\n", func(c *Config) { c.Redis.Password = "0123" }},
		{"duration", "server: {reloadInterval: 1m30s}\n", func(c *Config) { c.Server.ReloadInterval = 90 * time.Second }},
		{"whole number for a ratio", "memoryDB: {evictRatio: 1}\n", func(c *Config) { c.MemoryDB.EvictRatio = 1 }},
		{"list", "node: node1\njoin:\n  - h1:1\n  - h2:1\n", func(c *Config) {
			c.OnlyNode, c.Join = "node1", []string{"h1:1", "h2:1"}
		}},
		{"empty list", "join: []\n", func(*Config) {}},
		{"alias", "dataDir: &d node2\nnode: *d\n", func(c *Config) { c.DataDir, c.OnlyNode = "node2", "node2" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, withConfig(tt.change), mustLoad(t, []string{"--config", mustWriteFile(t, tt.text)}))
		})
	}
}

func TestFileRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "dataDir: x\nmysql:\n  dns: x\n", ":3: mysql.dns: unknown setting; did you mean mysql.dsn?"},
		{"unknown section", "postgres: {dsn: x}\n", ":1: postgres: unknown setting"},
		{"wrong case", "memorydb: {capacity: 1}\n", ":1: memorydb: unknown setting; did you mean memoryDB?"},
		{"unknown key of a node", "raft:\n  nodes:\n    - {id: a, address: \"h:1\", port: 2}\n    - {id: b, adress: \"h:1\"}\n",
			":4: raft.nodes[1].adress: unknown setting; did you mean raft.nodes[1].address?"},
		{"merge key", "a: &a {dsn: x}\nmysql: {<<: *a}\n", "mysql.<<: unknown setting"},
		{"duplicate key", "redis:\n  db: 1\n  db: 2\n", ":3: redis.db: given twice, first in line 2"},
		{"duplicate section", "redis: {db: 1}\nredis: {addr: x}\n", ":2: redis: given twice, first in line 1"},
		{"duplicate key, the first one empty", "dataDir:\ndataDir: x\n", ":2: dataDir: given twice, first in line 1"},
		{"duration without unit", "server:\n  reloadInterval: 30\n", ":2: server.reloadInterval: \"30\" is a bare number; a duration needs a unit (ms, s, m or h); a right value is 30s"},
		{"text for a number", "port: http\n", ":1: port: \"http\" is not a whole number; a right value is 8081"},
		{"value for a section", "mysql: x\n", ":1: mysql: has to be a section"},
		{"value for a list", "join: h:1\n", ":1: join: has to be a list"},
		{"section for a value", "dataDir: {a: b}\n", ":1: dataDir: has to be a single value; a right value is ./data"},
		{"value for a node", "raft: {nodes: [\"a=h:1/2\"]}\n", ":1: raft.nodes[0]: has to be a section"},
		{"list for the file", "- a\n", ":1: has to be a section"},
		{"list within itself", "join: &j [*j]\n", ":1: join[0]: has to be a single value; a right value is 10.0.0.1:7001"},
		{"two documents", "dataDir: x\n---\ndataDir: y\n", "more than one YAML document"},
		{"not YAML", "dataDir: [\n", "yaml: line"},
		{"broken second document", "dataDir: x\n---\n[\n", "yaml: line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := mustWriteFile(t, tt.text)
			_, err := load(t, []string{"--config", name})
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, name, "the file has to be named")
		})
	}
}

func TestFileReportsEverythingAtOnce(t *testing.T) {
	_, err := load(t, []string{"--config", mustWriteFile(t, "a: 1\nport: x\nmysql: []\nlog: {level: {}}\n")})
	for _, want := range []string{":1: a:", ":2: port:", ":3: mysql:", ":4: log.level:"} {
		require.ErrorContains(t, err, want)
	}
}

func TestFileErrorsHoldNoSecret(t *testing.T) {
	tests := map[string]string{
		"taken for an alias":        "redis: {password: *hunter2}\n",
		"alias in a later document": "redis: {db: 1}\n---\nredis: {password: *hunter2}\n",
		"taken for a section":       "redis: {password: {hunter2: 1}}\n",
		"taken for a list":          "redis: {password: [hunter2]}\n",
		"in the place of a section": "mysql: root:hunter2@tcp(db)/versions\n",
		"the whole file":            "hunter2\n",
		"under a misspelt key":      "redis: {pasword: hunter2}\n",
		"not YAML":                  "redis: {password: \"hunter2}\n",
		"reserved character":        "redis: {password: @hunter2}\n",
		"tag":                       "redis: {password: !!int hunter2, db: x}\n",
		"undefined tag":             "redis: {password: !h!hunter2 x}\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, []string{"--config", mustWriteFile(t, text)})
			require.Error(t, err)
			require.NotContains(t, err.Error(), secretText)
		})
	}
}
