package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// load runs Load as main does: flags bound and parsed, then the rest.
func load(t *testing.T, args []string, environ ...string) (Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("versiond", pflag.ContinueOnError)
	BindFlags(flags)
	require.NoError(t, flags.Parse(args))
	return Load(flags, environ)
}

func mustLoad(t *testing.T, args []string, environ ...string) Config {
	t.Helper()
	c, err := load(t, args, environ...)
	require.NoError(t, err)
	return c
}

func mustWriteFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "versiond.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// openToAll lets a test name hosts other than this machine's loopback and speak of nothing else.
const openToAll = "VERSIOND_AUTH_DISABLED=true"

func withOpenConfig(change func(*Config)) Config {
	return withConfig(func(c *Config) {
		c.Auth.Disabled = true
		change(c)
	})
}

func withConfig(change func(*Config)) Config {
	c := GetConfig()
	change(&c)
	return c
}
