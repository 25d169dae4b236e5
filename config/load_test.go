package config

import (
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

func TestLoadWithoutAnythingGivesTheDefaults(t *testing.T) {
	require.Equal(t, GetConfig(), mustLoad(t, nil))
}

func TestPrecedence(t *testing.T) {
	file := []string{"--config", mustWriteFile(t, "dataDir: file\nlog: {level: warn}\n")}
	flag := append([]string{"--data-dir", "flag"}, file...)
	tests := []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{"default", nil, nil, "./data"},
		{"file beats default", file, nil, "file"},
		{"environment beats file", file, []string{"VERSIOND_DATA_DIR=env"}, "env"},
		{"flag beats environment", flag, []string{"VERSIOND_DATA_DIR=env"}, "flag"},
		{"flag beats file", flag, nil, "flag"},
		{"an empty variable is not set", file, []string{"VERSIOND_DATA_DIR="}, "file"},
		{"a flag may say the default", append([]string{"--data-dir", "./data"}, file...), nil, "./data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, mustLoad(t, tt.args, tt.environ...).DataDir)
		})
	}
}

func TestEveryVariableArrives(t *testing.T) {
	got := mustLoad(t, nil,
		"PATH=/bin",
		"VERSIOND_MYSQL_DSN=u:p=q@tcp(db:3306)/versions",
		"VERSIOND_REDIS_ADDR=redis:6379",
		"VERSIOND_REDIS_USERNAME=versiond",
		"VERSIOND_REDIS_PASSWORD=0123",
		"VERSIOND_REDIS_TLS=true",
		"VERSIOND_REDIS_CAFILE=ca.pem",
		"VERSIOND_REDIS_CERTFILE=cert.pem",
		"VERSIOND_REDIS_KEYFILE=key.pem",
		"VERSIOND_REDIS_DB=3",
		"VERSIOND_MEMORYDB_CAPACITY=7",
		"VERSIOND_MEMORYDB_EVICTRATIO=1",
		"VERSIOND_SERVER_RELOADINTERVAL=2m",
		"VERSIOND_SERVER_PERIODICDELETEINTERVAL=250ms",
		"VERSIOND_SERVER_EXAMINESIZE=5",
		"VERSIOND_SERVER_BIND=::",
		"VERSIOND_RAFT_NODES=a=h1:1/2,b=h2:1/2",
		"VERSIOND_RAFT_SNAPSHOTINTERVAL=3s",
		"VERSIOND_RAFT_SNAPSHOTTHRESHOLD=50",
		"VERSIOND_RAFT_TRAILINGLOGS=20",
		"VERSIOND_RAFT_SEGMENTBYTES=1048576",
		"VERSIOND_LOG_LEVEL=debug",
		"VERSIOND_LOG_FORMAT=json",
		"VERSIOND_AUTH_TOKENS=ci:write:0123456789abcdef, ops:admin:with:colons:in:it",
		"VERSIOND_CLUSTER_SECRET=fedcba9876543210",
		"VERSIOND_NODE=c",
		"VERSIOND_DATA_DIR=/var/lib/versiond",
		"VERSIOND_JOIN=h1:1,h2:1",
		"VERSIOND_ADDRESS=h3:1",
		"VERSIOND_PORT=2",
	)
	require.Equal(t, Config{
		MySQL:    MySQL{DSN: "u:p=q@tcp(db:3306)/versions"},
		Redis:    Redis{Addr: "redis:6379", Username: "versiond", Password: "0123", DB: 3, TLS: true, CAFile: "ca.pem", CertFile: "cert.pem", KeyFile: "key.pem"},
		MemoryDB: MemoryDB{Capacity: 7, EvictRatio: 1},
		Server: Server{
			ReloadInterval: 2 * time.Minute, PeriodicDeleteInterval: 250 * time.Millisecond, ExamineSize: 5, Bind: "::",
		},
		Raft: Raft{
			Nodes:            []Node{{"a", "h1:1", 2}, {"b", "h2:1", 2}},
			SnapshotInterval: 3 * time.Second, SnapshotThreshold: 50, TrailingLogs: 20, SegmentBytes: 1 << 20,
		},
		Log: Log{Level: "debug", Format: "json"},
		Auth: Auth{Tokens: []Token{
			{Name: "ci", Role: "write", Secret: "0123456789abcdef"}, {Name: "ops", Role: "admin", Secret: "with:colons:in:it"},
		}},
		Cluster:  Cluster{Secret: "fedcba9876543210"},
		OnlyNode: "c",
		DataDir:  "/var/lib/versiond",
		Join:     []string{"h1:1", "h2:1"},
		Address:  "h3:1",
		Port:     2,
	}, got)
}

func TestEveryFlagArrives(t *testing.T) {
	got := mustLoad(t, []string{
		"--node", "c", "--data-dir", "d", "--bind", "0.0.0.0", "--join", "h1:1,h2:1", "--join", "h4:1",
		"--address", "h3:1", "--port", "2", "--log-level", "error", "--log-format", "json",
	}, openToAll)
	require.Equal(t, withOpenConfig(func(c *Config) {
		c.OnlyNode, c.DataDir, c.Server.Bind = "c", "d", "0.0.0.0"
		c.Join = []string{"h1:1", "h2:1", "h4:1"}
		c.Address, c.Port = "h3:1", 2
		c.Log = Log{Level: "error", Format: "json"}
	}), got)
}

func TestFlagsOfOthersAreLeftAlone(t *testing.T) {
	flags := pflag.NewFlagSet("versiond", pflag.ContinueOnError)
	flags.Bool("version", false, "")
	BindFlags(flags)
	require.NoError(t, flags.Parse([]string{"--version"}))
	c, err := Load(flags, nil)
	require.NoError(t, err)
	require.Equal(t, GetConfig(), c)
}

func TestFlagOfTheWrongFormIsRefusedWhenParsed(t *testing.T) {
	flags := pflag.NewFlagSet("versiond", pflag.ContinueOnError)
	BindFlags(flags)
	require.ErrorContains(t, flags.Parse([]string{"--port", "http"}), `"http" is not a whole number`)
}

// A node of the default list must never shine through a shorter or sparser list.
func TestListsAreTakenWhole(t *testing.T) {
	name := mustWriteFile(t, "raft:\n  nodes:\n    - {id: a, address: \"h1:1\", port: 2}\n")
	want := []Node{{"a", "h1:1", 2}}
	require.Equal(t, want, mustLoad(t, []string{"--config", name}, openToAll).Raft.Nodes)

	sparse := mustWriteFile(t, "raft:\n  nodes:\n    - {id: a, address: \"h1:1\"}\n")
	_, err := load(t, []string{"--config", sparse})
	require.ErrorContains(t, err, "raft.nodes[0].port: is 0")

	got := mustLoad(t, []string{"--config", name}, openToAll, "VERSIOND_RAFT_NODES=b=h2:3/4,c=h3:3/4")
	require.Equal(t, []Node{{"b", "h2:3", 4}, {"c", "h3:3", 4}}, got.Raft.Nodes)
}

func TestWhichFileIsRead(t *testing.T) {
	one := mustWriteFile(t, "dataDir: one\n")
	two := mustWriteFile(t, "dataDir: two\n")
	require.Equal(t, "one", mustLoad(t, nil, "VERSIOND_CONFIG="+one).DataDir)
	require.Equal(t, "two", mustLoad(t, []string{"--config", two}, "VERSIOND_CONFIG="+one).DataDir)
}

func TestMissingFileIsAnError(t *testing.T) {
	_, err := load(t, []string{"--config", filepath.Join(t.TempDir(), "none.yaml")})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "none.yaml")
}

func TestUnknownVariables(t *testing.T) {
	tests := []struct{ variable, want string }{
		{"VERSIOND_MYSQL_DNS=secret", "VERSIOND_MYSQL_DNS: no such variable; did you mean VERSIOND_MYSQL_DSN?"},
		{"VERSIOND_DATADIR=x", "VERSIOND_DATADIR: no such variable; did you mean VERSIOND_DATA_DIR?"},
		{"VERSIOND_CONFIGS=x", "VERSIOND_CONFIGS: no such variable; did you mean VERSIOND_CONFIG?"},
		{"VERSIOND_SOMETHING_ELSE=x", "VERSIOND_SOMETHING_ELSE: no such variable"},
		{"VERSIOND_UNKNOWN=", "VERSIOND_UNKNOWN: no such variable"},
		{"VERSIOND_PORT=http", `VERSIOND_PORT: "http" is not a whole number; a right value is 8081`},
		{"VERSIOND_SERVER_RELOADINTERVAL=30", `VERSIOND_SERVER_RELOADINTERVAL: "30" is a bare number; a duration needs a unit (ms, s, m or h); a right value is 30s`},
	}
	for _, tt := range tests {
		t.Run(tt.variable, func(t *testing.T) {
			_, err := load(t, nil, tt.variable)
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestFileAndEnvironmentAreReportedTogether(t *testing.T) {
	name := mustWriteFile(t, "redis:\n  adr: x\n")
	_, err := load(t, []string{"--config", name}, "VERSIOND_A_B=1", "VERSIOND_C_D=2")
	for _, want := range []string{"VERSIOND_A_B", "VERSIOND_C_D", name + ":2: redis.adr"} {
		require.ErrorContains(t, err, want)
	}
}

func TestLoadValidates(t *testing.T) {
	c, err := load(t, []string{"--node", "node9"}, "VERSIOND_MEMORYDB_CAPACITY=0")
	require.ErrorContains(t, err, "node: ")
	require.ErrorContains(t, err, "memoryDB.capacity: ")
	require.Zero(t, c, "a configuration that is not valid must not be used by accident")
}
