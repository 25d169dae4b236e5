package config

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// In Kubernetes a Service called versiond, or versiond-public, puts variables into every pod beside it. A
// node that does not start because of them tells nobody why.
func TestKubernetesServiceVariablesArePassedOver(t *testing.T) {
	service := []string{
		"VERSIOND_SERVICE_HOST=10.96.12.7", "VERSIOND_SERVICE_PORT=8081", "VERSIOND_SERVICE_PORT_HTTP=8081",
		"VERSIOND_PORT=tcp://10.96.12.7:8081", "VERSIOND_PORT_8081_TCP=tcp://10.96.12.7:8081",
		"VERSIOND_PORT_8081_TCP_PROTO=tcp", "VERSIOND_PORT_8081_TCP_PORT=8081", "VERSIOND_PORT_8081_TCP_ADDR=10.96.12.7",
		"VERSIOND_PUBLIC_SERVICE_HOST=10.96.12.8", "VERSIOND_PUBLIC_PORT=udp://10.96.12.8:53", "VERSIOND_PUBLIC_PORT_53_UDP_ADDR=10.96.12.8",
	}
	require.Equal(t, GetConfig(), mustLoad(t, nil, service...))

	own := []string{"VERSIOND_NODE=node9", "VERSIOND_ADDRESS=127.0.0.1:7009", "VERSIOND_PORT=8089"}
	require.Equal(t, 8089, mustLoad(t, nil, own...).Port)
	for _, misspelt := range []string{"VERSIOND_PORTS=8081", "VERSIOND_SERVICE_HOSTS=x", "VERSIOND_REDIS_PORT=6379", "VERSIOND_PORT_X_TCP_ADDR=x"} {
		_, err := load(t, nil, append(service, misspelt)...)
		require.ErrorContains(t, err, "no such variable", misspelt)
	}
}

// Line ends of a file from Windows, and quotes that an env file or a list of arguments keeps, must not
// become a part of a database's or a directory's name.
func TestWrappedValuesAreRefused(t *testing.T) {
	for variable, seen := range map[string]string{
		"VERSIOND_MYSQL_DSN=u:hunter2@tcp(db:3306)/versions\r":   `ends with a carriage return (\r)`,
		"VERSIOND_REDIS_ADDR=redis:6379\n":                       `ends with a line end (\n)`,
		"VERSIOND_DATA_DIR=\"/var/lib/versiond\"":                `begins with a double quote (")`,
		"VERSIOND_DATA_DIR=/var/lib/versiond'":                   `ends with a single quote (')`,
		"VERSIOND_REDIS_PASSWORD= hunter2":                       "begins with a blank",
		"VERSIOND_CLUSTER_SECRET=hunter2hunter2hunter2\t":        `ends with a tab (\t)`,
		"VERSIOND_LOG_LEVEL=info ":                               "ends with a blank",
		"VERSIOND_AUTH_DISABLED=true\r":                          "ends with a carriage return",
		"VERSIOND_PORT='8081'":                                   "begins with a single quote",
		"VERSIOND_CONFIG=/etc/versiond.yaml\r":                   "ends with a carriage return",
		"VERSIOND_AUTH_TOKENS=“ops:admin:hunter2hunter2hunter2”": "begins with the character '“' (U+201C)",
		"VERSIOND_NODE=\ufeffnode1":                              "(U+FEFF)",
	} {
		_, err := load(t, nil, variable)
		name, _, _ := strings.Cut(variable, "=")
		require.ErrorContains(t, err, name+": the value ", variable)
		require.ErrorContains(t, err, seen, variable)
		require.NotContains(t, err.Error(), "hunter2")
	}
	flags := pflag.NewFlagSet("versiond", pflag.ContinueOnError)
	BindFlags(flags)
	err := flags.Parse([]string{"--data-dir", `"/data"`})
	require.ErrorContains(t, err, "begins with a double quote")
	_, err = load(t, []string{"--config", mustWriteFile(t, "dataDir: \"da\\rta\"\n")})
	require.ErrorContains(t, err, `dataDir: has a carriage return (\r) in it`)
}
