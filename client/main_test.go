package client_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/client"
	"versiond/controller"
	"versiond/naming"
	"versiond/test/harness/inprocess"
)

// token is the secret that all tests show, of the role admin.
const token = "of the administrator"

// addresses are those of three nodes that all tests share. Each test has ids of its own.
var addresses []string

func TestMain(m *testing.M) {
	os.Exit(inprocess.Main(m, &addresses, controller.Token{Name: "ops", Role: naming.RoleAdmin, Secret: token}))
}

// mustClient returns a client of these addresses, or of all nodes.
func mustClient(t *testing.T, at ...string) *client.Client {
	t.Helper()
	if len(at) == 0 {
		at = addresses
	}
	return mustNew(t, client.Config{Addresses: at, Token: token})
}

func mustNew(t *testing.T, cfg client.Config) *client.Client {
	t.Helper()
	c, err := client.New(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func record(id, versionNo string) client.Record {
	return client.Record{ID: id, VersionNo: versionNo, Platform: "linux"}
}

func mustCreate(t *testing.T, c *client.Client, r client.Record) client.Record {
	t.Helper()
	made, err := c.Create(t.Context(), r)
	require.NoError(t, err)
	return made
}
