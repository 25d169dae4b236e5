package config

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const exampleFile = "../versiond.example.yaml"

func TestExampleFileHoldsTheDefaults(t *testing.T) {
	require.Equal(t, GetConfig(), mustLoad(t, []string{"--config", exampleFile}))
}

func TestExampleFileHasEverySetting(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	require.NoError(t, err)
	var root any
	require.NoError(t, yaml.Unmarshal(shown(text), &root))
	for _, s := range Settings() {
		require.True(t, hasPath(root, strings.Split(strings.ReplaceAll(s.Key, "[]", ".[]"), ".")), s.Key)
	}
}

// shown takes the item that comments show of a list that is empty by default for a part of the file.
func shown(text []byte) []byte {
	for _, list := range []string{"tokens:", "certificates:"} {
		text = bytes.ReplaceAll(text, []byte(list+" []"), []byte(list))
	}
	return regexp.MustCompile(`(?m)^  # (- |  )`).ReplaceAll(text, []byte("  $1"))
}

// hasPath walks maps by name and lists, at "[]", by their first item.
func hasPath(value any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if items, isList := value.([]any); isList && path[0] == "[]" {
		return len(items) > 0 && hasPath(items[0], path[1:])
	}
	section, _ := value.(map[string]any)
	inner, found := section[path[0]]
	return found && hasPath(inner, path[1:])
}

func TestSettingsAreThePublishedNames(t *testing.T) {
	want := []string{
		"mysql.dsn VERSIOND_MYSQL_DSN",
		"redis.addr VERSIOND_REDIS_ADDR",
		"redis.username VERSIOND_REDIS_USERNAME",
		"redis.password VERSIOND_REDIS_PASSWORD",
		"redis.db VERSIOND_REDIS_DB",
		"redis.tls VERSIOND_REDIS_TLS",
		"redis.caFile VERSIOND_REDIS_CAFILE",
		"redis.certFile VERSIOND_REDIS_CERTFILE",
		"redis.keyFile VERSIOND_REDIS_KEYFILE",
		"memoryDB.capacity VERSIOND_MEMORYDB_CAPACITY",
		"memoryDB.evictRatio VERSIOND_MEMORYDB_EVICTRATIO",
		"server.reloadInterval VERSIOND_SERVER_RELOADINTERVAL",
		"server.periodicDeleteInterval VERSIOND_SERVER_PERIODICDELETEINTERVAL",
		"server.examineSize VERSIOND_SERVER_EXAMINESIZE",
		"server.bind VERSIOND_SERVER_BIND --bind",
		"server.trustedHosts VERSIOND_SERVER_TRUSTEDHOSTS",
		"server.trustedOrigins VERSIOND_SERVER_TRUSTEDORIGINS",
		"tls.certFile VERSIOND_TLS_CERTFILE",
		"tls.keyFile VERSIOND_TLS_KEYFILE",
		"tls.clientCAFile VERSIOND_TLS_CLIENTCAFILE",
		"raft.nodes VERSIOND_RAFT_NODES",
		"raft.nodes[].id",
		"raft.nodes[].address",
		"raft.nodes[].port",
		"raft.snapshotInterval VERSIOND_RAFT_SNAPSHOTINTERVAL",
		"raft.snapshotThreshold VERSIOND_RAFT_SNAPSHOTTHRESHOLD",
		"raft.trailingLogs VERSIOND_RAFT_TRAILINGLOGS",
		"raft.segmentBytes VERSIOND_RAFT_SEGMENTBYTES",
		"log.level VERSIOND_LOG_LEVEL --log-level",
		"log.format VERSIOND_LOG_FORMAT --log-format",
		"log.audit VERSIOND_LOG_AUDIT",
		"auth.tokens VERSIOND_AUTH_TOKENS",
		"auth.tokens[].name",
		"auth.tokens[].role",
		"auth.tokens[].secret",
		"auth.tokens[].secretFile",
		"auth.certificates VERSIOND_AUTH_CERTIFICATES",
		"auth.certificates[].name",
		"auth.certificates[].role",
		"auth.public VERSIOND_AUTH_PUBLIC",
		"auth.disabled VERSIOND_AUTH_DISABLED",
		"cluster.secret VERSIOND_CLUSTER_SECRET",
		"cluster.secretFile VERSIOND_CLUSTER_SECRETFILE",
		"cluster.certFile VERSIOND_CLUSTER_CERTFILE",
		"cluster.keyFile VERSIOND_CLUSTER_KEYFILE",
		"cluster.caFile VERSIOND_CLUSTER_CAFILE",
		"node VERSIOND_NODE --node",
		"dataDir VERSIOND_DATA_DIR --data-dir",
		"join VERSIOND_JOIN --join",
		"address VERSIOND_ADDRESS --address",
		"port VERSIOND_PORT --port",
	}
	var got []string
	for _, s := range Settings() {
		line := strings.TrimSpace(s.Key + " " + s.Env)
		if s.Flag != "" {
			line += " --" + s.Flag
		}
		got = append(got, line)
	}
	require.Equal(t, want, got)
}

// Whoever follows an example from an error or the README must not run into the next error.
func TestDefaultsAndExamplesParse(t *testing.T) {
	for _, s := range Settings() {
		require.NotEmpty(t, s.Meaning, s.Key)
		require.NotEmpty(t, s.Example, s.Key)
		_, err := parseText(s.value.Type(), s.Example)
		require.NoError(t, err, s.Key)
		if s.Default != "" {
			value, err := parseText(s.value.Type(), s.Default)
			require.NoError(t, err, s.Key)
			require.Equal(t, s.Default, formatDefault(reflect.ValueOf(value)), s.Key)
		}
	}
}

func TestExamplesAreValid(t *testing.T) {
	var environ []string
	for _, s := range Settings() {
		switch s.Key {
		case "address", "port":
			continue // only for a node that the list does not have
		case "cluster.secretFile":
			continue // in the place of cluster.secret
		}
		if s.Env != "" {
			environ = append(environ, s.Env+"="+s.Example)
		}
	}
	mustLoad(t, nil, environ...)
	mustLoad(t, []string{"--node", "node4", "--address", exampleOf("address"), "--port", exampleOf("port")}, openToAll)
}

func TestHelpNamesEveryFlag(t *testing.T) {
	flags := pflag.NewFlagSet("versiond", pflag.ContinueOnError)
	BindFlags(flags)
	help := flags.FlagUsages()
	for _, line := range []string{
		"--config FILE", "--node ID", "--data-dir DIR", "--bind HOST", "--join HOST:PORT,...",
		"--address HOST:PORT", "--port N", "--log-level LEVEL", "--log-format FORMAT", "(default ./data)",
	} {
		require.Contains(t, help, line)
	}
	require.NotContains(t, help, "(default 0)", "0 stands for a port that is not set")
}
