package cli

import (
	"bytes"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"versiond/certs"
	"versiond/config"
)

// composed is what a compose file says of one service, as far as versiond reads it.
type composed struct {
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Healthcheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
}

// mustCompose reads compose files as Compose lays them over each other, with the defaults of their variables.
func mustCompose(t *testing.T, names ...string) map[string]composed {
	t.Helper()
	all := map[string]composed{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		var file struct {
			Services map[string]composed `yaml:"services"`
		}
		require.NoError(t, yaml.Unmarshal(text, &file))
		for service, says := range file.Services {
			under := all[service]
			if under.Environment == nil {
				under.Environment = map[string]string{}
			}
			maps.Copy(under.Environment, says.Environment)
			if says.Command != nil {
				under.Command = says.Command
			}
			under.Healthcheck = says.Healthcheck
			all[service] = under
		}
	}
	return all
}

// within puts a path of a container into a directory of the test.
func within(dir, value string) string {
	if strings.HasPrefix(value, "/") {
		return filepath.Join(dir, value)
	}
	return value
}

// environ returns the variables of a service, with a directory of the test in the place of the container's.
func (c composed) environ(dir string) (environ []string) {
	for name, value := range c.Environment {
		if at := strings.Index(value, ":-"); at >= 0 && strings.HasPrefix(value, "${") {
			value = strings.TrimSuffix(value[at+2:], "}")
		}
		if strings.HasPrefix(name, "VERSIOND_") && !strings.Contains(value, "${") {
			environ = append(environ, name+"="+within(dir, value))
		}
	}
	return environ
}

// What the containers of docker-compose.tls.yml are told has to fit together: the commands that make certificates, the
// settings of the nodes that read them, and the probes. If this fails, it does not come up.
func TestComposeByTLSFitsTogether(t *testing.T) {
	dir := t.TempDir()
	services := mustCompose(t, "docker-compose.yml", "docker-compose.tls.yml")
	for range 2 { // every start runs them
		for _, name := range []string{"authority", "certs", "client"} {
			var out bytes.Buffer
			var args []string
			for _, arg := range services[name].Command {
				args = append(args, within(dir, arg))
			}
			code := Program{Environ: services[name].environ(dir), Stdout: &out, Stderr: &out}.Run(args)
			require.Zero(t, code, "%s: %s", name, out.String())
		}
	}
	for _, name := range []string{"node1", "node2", "node3"} {
		flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
		config.BindFlags(flags)
		require.NoError(t, flags.Parse(services[name].Command))
		cfg, err := config.Load(flags, services[name].environ(dir))
		require.NoError(t, err)
		_, missing := cfg.Unprotected()
		require.Empty(t, missing, name)
		own := cfg.Cluster
		_, err = certs.OpenPeer(certs.PeerFiles(own.CertFile, own.KeyFile, own.CAFile), cfg.LocalNodes()[0].Address, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.Equal(t, own.CertFile, cfg.TLS.CertFile)
		require.Equal(t, name+".pem", filepath.Base(own.CertFile))
		require.FileExists(t, cfg.TLS.ClientCAFile)
		require.FileExists(t, filepath.Join(dir, "certs", cfg.Auth.Certificates[0].Name+".pem"))
		probe := services[name].Healthcheck.Test
		require.Contains(t, strings.Join(probe, " "), "health --ca /certs/ca.pem --url https://127.0.0.1:808"+name[4:])
		require.NotContains(t, slices.Collect(maps.Keys(services[name].Environment)), "VERSIOND_NODE")
	}
	require.NoFileExists(t, filepath.Join(dir, "certs", "ca-key.pem"), "nodes can read the key of the authority")
}
