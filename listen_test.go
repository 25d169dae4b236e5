package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/model"
)

// What keeps a node from listening, or from its directory, must be named as it is: "stop what listens there"
// sends people looking for something that is not there.
func TestStartNamesWhatIsInTheWay(t *testing.T) {
	dangling := filepath.Join(t.TempDir(), "dangling")
	require.NoError(t, os.Symlink("/not/mounted", dangling))
	for name, each := range map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"an address of another machine": {func(c *config.Config) { c.Server.Bind = "192.0.2.1" }, "no interface of this machine has the address 192.0.2.1"},
		"a name that nobody knows":      {func(c *config.Config) { c.Server.Bind = "no-such-host.invalid" }, "the name no-such-host.invalid cannot be looked up"},
		"a link to nowhere":             {func(c *config.Config) { c.DataDir = dangling }, dangling + " is a symbolic link to /not/mounted, which is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configured(t, 1)
			each.change(&cfg)
			err := start(t, cfg).mustEnd(t)
			require.ErrorContains(t, err, each.want)
			require.NotContains(t, err.Error(), "stop what listens there")
			require.NotContains(t, err.Error(), "file exists")
		})
	}
}

// The greeting is copied into a terminal: it must name what answers there.
func TestGreetingIsTrue(t *testing.T) {
	text := func(change func(*config.Config)) string {
		cfg := config.GetConfig()
		change(&cfg)
		return newGreeting(nil, cfg).text(model.Leader{ID: "node1"})
	}
	three := text(func(*config.Config) {})
	require.Contains(t, three, "Write on one node and read on another")
	require.Contains(t, three, "curl -i localhost:8083/version/myapp")

	one := text(func(c *config.Config) { c.OnlyNode = "node2" })
	require.NotContains(t, one, "another")
	require.Contains(t, one, "curl -i localhost:8082/version/myapp")

	elsewhere := text(func(c *config.Config) { c.OnlyNode, c.Server.Bind = "node2", "10.0.0.7" })
	require.NotContains(t, elsewhere, "localhost")
	require.Contains(t, elsewhere, "http://10.0.0.7:8082")
	require.Contains(t, text(func(c *config.Config) { c.Server.Bind = "::1" }), "curl -i [::1]:8083/version/myapp")
	require.Contains(t, text(func(c *config.Config) { c.Server.Bind = "0.0.0.0" }), "localhost:8081")
}
