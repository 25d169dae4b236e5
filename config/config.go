package config

import (
	"net"
	"slices"
	"time"
)

// Config is everything a process is told at its start. The tags name a setting in the file (yaml),
// as a flag with its argument, and in an environment name that differs from the key.
type Config struct {
	MySQL    MySQL    `yaml:"mysql"`
	Redis    Redis    `yaml:"redis"`
	MemoryDB MemoryDB `yaml:"memoryDB"`
	Server   Server   `yaml:"server"`
	TLS      TLS      `yaml:"tls"`
	Raft     Raft     `yaml:"raft"`
	Log      Log      `yaml:"log"`
	Auth     Auth     `yaml:"auth"`
	Cluster  Cluster  `yaml:"cluster"`

	// OnlyNode is the id of the single node to run; empty runs every node of Raft.Nodes side by side.
	OnlyNode string `yaml:"node" flag:"node ID" example:"node1" usage:"run only this node; all of raft.nodes in one process when not set"`
	// DataDir holds one directory for each node, named after its id.
	DataDir string `yaml:"dataDir" env:"DATA_DIR" flag:"data-dir DIR" example:"./data" usage:"directory with one directory a node"`
	// Join lists peer addresses of members that a node outside Raft.Nodes asks to let it in.
	Join []string `yaml:"join" flag:"join HOST:PORT,..." example:"10.0.0.1:7001" usage:"peer addresses of members that a node asks to be let in"`
	// Address and Port describe OnlyNode when Raft.Nodes does not list it.
	Address string `yaml:"address" flag:"address HOST:PORT" example:"10.0.0.4:7001" usage:"peer address of a node that raft.nodes does not list"`
	Port    int    `yaml:"port" flag:"port N" example:"8081" usage:"public HTTP port of a node that raft.nodes does not list"`
}

// MySQL is where the records are kept. An empty DSN means embedded SQLite in the data directory.
type MySQL struct {
	// DSN is in the form of go-sql-driver/mysql. Each node adds "_" and its id to the database name.
	DSN Secret `yaml:"dsn" example:"versiond:password@tcp(127.0.0.1:3306)/versions" usage:"MySQL for the records; each node adds _ and its id to the database name; SQLite in the data directory when not set"`
}

// Redis is where cached records go. An empty Addr means that MemoryDB is the only cache.
type Redis struct {
	Addr     string `yaml:"addr" example:"127.0.0.1:6379" usage:"Redis as a second cache; none when not set"`
	Username string `yaml:"username" example:"versiond" usage:"ACL user of that Redis; its default user when not set" see:"the rights that it needs: operations.md#redis-with-users-or-tls"`
	Password Secret `yaml:"password" example:"a password" usage:"password of that Redis"`
	DB       int    `yaml:"db" example:"0" usage:"database number in that Redis, for this cluster alone: another one on it would delete its copies"`
	// TLS encrypts the connections; the files may be given with it.
	TLS      bool   `yaml:"tls" example:"true" usage:"encrypt the connections to that Redis, and check its certificate"`
	CAFile   string `yaml:"caFile" example:"/etc/versiond/redis-ca.pem" usage:"authority that signed the certificate of that Redis; those of the machine when not set"`
	CertFile string `yaml:"certFile" example:"/etc/versiond/redis.pem" usage:"certificate to show to that Redis, where it asks for one"`
	KeyFile  string `yaml:"keyFile" example:"/etc/versiond/redis-key.pem" usage:"key of that certificate"`
}

// MemoryDB bounds the cache inside each node.
type MemoryDB struct {
	// Capacity is the most records that are cached.
	Capacity int `yaml:"capacity" example:"100000" usage:"most records that a node caches in memory"`
	// EvictRatio is the part of a full cache that is dropped at once, above 0 and at most 1.
	EvictRatio float64 `yaml:"evictRatio" example:"0.1" usage:"part of a full cache that is dropped at once, least recently used first"`
}

// Server times a node's upkeep and says where it listens.
type Server struct {
	ReloadInterval         time.Duration `yaml:"reloadInterval" example:"30s" usage:"time between two readings of all rows, which fill Redis, hold the rows against the log and compare the members; a cached record expires three intervals after its last read"`
	PeriodicDeleteInterval time.Duration `yaml:"periodicDeleteInterval" example:"1s" usage:"time between two searches for expired cache entries"`
	// ExamineSize is how many cached keys one search looks at.
	ExamineSize int `yaml:"examineSize" example:"20" usage:"cache entries that one such search examines"`
	// Bind is the host that both ports listen on; empty listens on the host of the node's address.
	Bind string `yaml:"bind" flag:"bind HOST" example:"0.0.0.0" usage:"host that both ports listen on; that of the node's address when not set"`
	// TrustedHosts are names, besides its own address, under which a node without tokens answers.
	TrustedHosts []string `yaml:"trustedHosts" example:"registry.example.com" usage:"names under which a node without tokens answers too, besides localhost, IP addresses, and those of server.bind and its address"`
	// TrustedOrigins are origins of pages that may change something through a proxy that rewrites Host.
	TrustedOrigins []string `yaml:"trustedOrigins" example:"https://registry.example.com" usage:"origins of pages that may change something though their Host is another, as behind a proxy that rewrites it"`
}

// Raft lists the nodes that make the cluster when it is new, and says when its log is compacted.
type Raft struct {
	Nodes []Node `yaml:"nodes" example:"node1=127.0.0.1:7001/8081" usage:"nodes of a new cluster, as id=host:port/httpPort,..., alike on every machine; the first one bootstraps"`
	// SnapshotInterval is how often a node looks whether a snapshot is due.
	SnapshotInterval time.Duration `yaml:"snapshotInterval" example:"30s" usage:"how often a node looks whether a snapshot is due"`
	// SnapshotThreshold is how many log entries make a snapshot due.
	SnapshotThreshold int `yaml:"snapshotThreshold" example:"8192" usage:"log entries since the last snapshot that make one due"`
	// TrailingLogs is how many log entries a snapshot leaves for members that are behind.
	TrailingLogs int `yaml:"trailingLogs" example:"10240" usage:"log entries kept behind a snapshot, for members that are behind"`
	// SegmentBytes is the size of one file of the log.
	SegmentBytes int `yaml:"segmentBytes" example:"16777216" usage:"bytes of one file of the Raft log, allocated in advance; another size counts for new files"`
}

// Log sets what is logged, and how.
type Log struct {
	Level  string `yaml:"level" flag:"log-level LEVEL" example:"info" usage:"least severe level that is logged: debug, info, warn or error"`
	Format string `yaml:"format" flag:"log-format FORMAT" example:"text" usage:"form of log lines: text or json"`
	// Audit logs every request that changes something.
	Audit bool `yaml:"audit" example:"true" usage:"log a line for each change of records and members: who, from where, what, and what came of it" see:"audit: operations.md#who-changed-what"`
}

// GetConfig returns the defaults: three nodes on this machine with embedded storage. Each call makes a
// fresh value that the caller may change.
func GetConfig() Config {
	return Config{
		MemoryDB: MemoryDB{Capacity: 100_000, EvictRatio: 0.1},
		Server: Server{
			ReloadInterval:         30 * time.Second,
			PeriodicDeleteInterval: time.Second,
			ExamineSize:            20,
		},
		Raft: Raft{
			Nodes: []Node{
				{ID: "node1", Address: "127.0.0.1:7001", Port: 8081},
				{ID: "node2", Address: "127.0.0.1:7002", Port: 8082},
				{ID: "node3", Address: "127.0.0.1:7003", Port: 8083},
			},
			SnapshotInterval:  30 * time.Second,
			SnapshotThreshold: 8192,
			TrailingLogs:      10240,
			SegmentBytes:      16 << 20,
		},
		Log:     Log{Level: "info", Format: "text"},
		DataDir: "./data",
	}
}

// LocalNodes returns the nodes that this process runs: all that are listed, or the single one that
// OnlyNode names, described by Address and Port when it is not listed.
func (c Config) LocalNodes() []Node {
	if c.OnlyNode == "" {
		return slices.Clone(c.Raft.Nodes)
	}
	if i := c.indexOf(c.OnlyNode); i >= 0 {
		return []Node{c.Raft.Nodes[i]}
	}
	return []Node{{ID: c.OnlyNode, Address: c.Address, Port: c.Port}}
}

// Listed reports whether Raft.Nodes has a node with this id.
func (c Config) Listed(id string) bool { return c.indexOf(id) >= 0 }

func (c Config) indexOf(id string) int {
	return slices.IndexFunc(c.Raft.Nodes, func(n Node) bool { return n.ID == id })
}

// BindHost returns the host that both ports of a node listen on, without brackets. It never falls back
// to all interfaces: that has to be asked for with server.bind.
func (c Config) BindHost(n Node) string {
	if c.Server.Bind != "" {
		return c.Server.Bind
	}
	if host, _, err := net.SplitHostPort(n.Address); err == nil && host != "" {
		return host
	}
	return "127.0.0.1"
}
