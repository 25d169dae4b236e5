package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/naming"
)

const (
	goodSecret  = "0123456789abcdef"
	otherSecret = "fedcba9876543210"
)

func opsToken() Token { return Token{Name: "ops", Role: naming.RoleAdmin, Secret: goodSecret} }

func withTokens(tokens ...Token) Config {
	return withConfig(func(c *Config) { c.Auth.Tokens = tokens })
}

// A token that is wrong in the file would lock its client out, or let in one that guesses it.
func TestValidateTokens(t *testing.T) {
	token := func(change func(*Token)) []Token {
		wrong := Token{Name: "ci", Role: naming.RoleWrite, Secret: otherSecret}
		change(&wrong)
		return []Token{opsToken(), wrong}
	}
	tests := []struct {
		name   string
		tokens []Token
		want   string
	}{
		{"no name", token(func(t *Token) { t.Name = "" }), "auth.tokens[1].name: has to be"},
		{"blank in the name", token(func(t *Token) { t.Name = "a b" }), "auth.tokens[1].name: has to be"},
		{"line end in the name", token(func(t *Token) { t.Name = "a\n" }), "auth.tokens[1].name: has to be"},
		{"long name", token(func(t *Token) { t.Name = strings.Repeat("n", 65) }), "auth.tokens[1].name: has to be"},
		{"name taken", token(func(t *Token) { t.Name = "ops" }), "auth.tokens[1].name: is the same as auth.tokens[0].name"},
		{"no role", token(func(t *Token) { t.Role = "" }), "auth.tokens[1].role: has to be one of read, write, admin; a right value is admin"},
		{"unknown role", token(func(t *Token) { t.Role = "root" }), "auth.tokens[1].role: has to be one of read, write, admin"},
		{"no secret", token(func(t *Token) { t.Secret = "" }), "auth.tokens[1].secret: has 0 bytes"},
		{"short secret", token(func(t *Token) { t.Secret = Secret(goodSecret[:15]) }), "auth.tokens[1].secret: has 15 bytes; it has to have 16 to 512"},
		{"long secret", token(func(t *Token) { t.Secret = Secret(strings.Repeat("s", 513)) }), "auth.tokens[1].secret: has 513 bytes"},
		{"blank in the secret", token(func(t *Token) { t.Secret = "0123456789 abcdef" }), "auth.tokens[1].secret: holds a blank"},
		{"line end in the secret", token(func(t *Token) { t.Secret = goodSecret + "\n" }), "auth.tokens[1].secret: holds a blank"},
		{"umlaut in the secret", token(func(t *Token) { t.Secret = "0123456789abcdeü" }), "auth.tokens[1].secret: holds a blank"},
		{"secret taken", token(func(t *Token) { t.Secret = goodSecret }), "auth.tokens[1].secret: is the same as auth.tokens[0].secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOneProblem(t, withTokens(tt.tokens...), tt.want) })
	}
	require.NoError(t, withTokens(token(func(*Token) {})...).Validate())
}

func TestValidateClusterSecret(t *testing.T) {
	cluster := func(secret Secret, tokens ...Token) Config {
		return withConfig(func(c *Config) { c.Cluster.Secret, c.Auth.Tokens = secret, tokens })
	}
	requireOneProblem(t, cluster(Secret(otherSecret[:15])), "cluster.secret: has 15 bytes")
	requireOneProblem(t, cluster(goodSecret, opsToken()), "cluster.secret: is that of auth.tokens[0] too")
	require.NoError(t, cluster(otherSecret, opsToken()).Validate())
}

// Somebody who sets tokens and leaves them disabled believes that they protect the cluster.
func TestTokensAreNotIgnored(t *testing.T) {
	c := withTokens(opsToken())
	c.Auth.Disabled = true
	requireOneProblem(t, c, "auth.disabled: is true, but there are auth.tokens")
}

// What others can reach has to ask who they are. If this fails, a typing mistake in server.bind gives
// the cluster to the whole network.
func TestWithoutTokensNodesListenOnLoopbackOnly(t *testing.T) {
	tests := []struct {
		name, bind, address string
		exposed             bool
	}{
		{"IPv4 loopback", "", "127.0.0.1:7001", false},
		{"all of 127.0.0.0/8", "", "127.9.9.9:7001", false},
		{"IPv6 loopback", "", "[::1]:7001", false},
		{"IPv4 loopback as IPv6", "", "[::ffff:127.0.0.1]:7001", false},
		{"localhost", "", "LocalHost.:7001", false},
		{"an address", "", "10.0.0.1:7001", true},
		{"a name, whatever it means today", "", "node1:7001", true},
		{"a name that begins like localhost", "", "localhost.example.net:7001", true},
		{"bind to all", "0.0.0.0", "127.0.0.1:7001", true},
		{"bind to all, IPv6", "::", "127.0.0.1:7001", true},
		{"bind to a name", "node1", "127.0.0.1:7001", true},
		{"what others dial does not matter", "127.0.0.1", "node1:7001", false},
		{"bind to localhost", "localhost", "node1:7001", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := withConfig(func(c *Config) {
				c.Server.Bind, c.Raft.Nodes = tt.bind, []Node{{ID: "node1", Address: tt.address, Port: 8081}}
			})
			if !tt.exposed {
				require.NoError(t, c.Validate())
				return
			}
			requireNeedsBoth(t, c)
		})
	}
}

func requireNeedsBoth(t *testing.T, c Config) {
	t.Helper()
	for _, key := range []string{"auth.tokens: is empty", "cluster.secret: is empty", "auth.disabled"} {
		require.ErrorContains(t, c.Validate(), key)
	}
	c.Auth.Tokens = []Token{opsToken()}
	requireOneProblem(t, c, "cluster.secret: is empty")
	c.Cluster.Secret = otherSecret
	require.NoError(t, c.Validate())
	c.Auth.Tokens = nil
	requireOneProblem(t, c, "auth.tokens: is empty")
	c.Cluster.Secret, c.Auth.Disabled = "", true
	require.NoError(t, c.Validate())
}

// Only the nodes that this process runs listen here.
func TestOtherNodesMayListenAnywhere(t *testing.T) {
	c := withConfig(func(c *Config) {
		c.OnlyNode = "node1"
		c.Raft.Nodes[1].Address = "10.0.0.2:7001"
	})
	require.NoError(t, c.Validate())
	c.OnlyNode = "node2"
	require.ErrorContains(t, c.Validate(), "reaches 10.0.0.2")
}

func TestSecretsFromFiles(t *testing.T) {
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	settings := "auth: {tokens: [{name: ops, role: admin, secretFile: " + file("ops", goodSecret+"\r\n") + "}]}\n"
	clusterFile := "VERSIOND_CLUSTER_SECRETFILE=" + file("cluster", otherSecret)
	c := mustLoad(t, []string{"--config", mustWriteFile(t, settings)}, clusterFile)
	require.Equal(t, goodSecret, c.Auth.Tokens[0].Secret.Reveal())
	require.Equal(t, otherSecret, c.Cluster.Secret.Reveal())

	_, err := load(t, nil, clusterFile, "VERSIOND_CLUSTER_SECRET="+otherSecret)
	require.EqualError(t, err, "cluster.secretFile: is given, and cluster.secret too; one of them is right")
	_, err = load(t, nil, "VERSIOND_CLUSTER_SECRETFILE="+file("empty", "\n"))
	require.EqualError(t, err, "cluster.secretFile: the file is empty")
	_, err = load(t, nil, "VERSIOND_CLUSTER_SECRETFILE="+file("short", "x\n"))
	require.ErrorContains(t, err, "cluster.secret: has 1 bytes")
}

// Secrets end up in wrong places; the error about it is printed, logged, and pasted into tickets.
func TestAuthErrorsHoldNoSecret(t *testing.T) {
	tests := map[string]string{
		"no role":             "VERSIOND_AUTH_TOKENS=ops:hunter2",
		"nothing else":        "VERSIOND_AUTH_TOKENS=hunter2",
		"a comma in it":       "VERSIOND_AUTH_TOKENS=ops:admin:0123456789abcdef,hunter2",
		"as the name":         "VERSIOND_AUTH_TOKENS=hunter2:hunter2:hunter2,hunter2:hunter2:hunter2",
		"as the role":         "VERSIOND_AUTH_TOKENS=ops:hunter2:admin",
		"too short":           "VERSIOND_AUTH_TOKENS=ops:admin:hunter2",
		"two alike":           "VERSIOND_AUTH_TOKENS=a:read:0123456789hunter2,b:read:0123456789hunter2",
		"not printable":       "VERSIOND_AUTH_TOKENS=a:read:0123456789 hunter2",
		"cluster's too short": "VERSIOND_CLUSTER_SECRET=hunter2",

		"with the certificates":           "VERSIOND_AUTH_CERTIFICATES=ops:admin:hunter2",
		"with them, alone":                "VERSIOND_AUTH_CERTIFICATES=hunter2",
		"with them, as the name":          "VERSIOND_AUTH_CERTIFICATES=hunter2:hunter2:ops,hunter2:hunter2:ops",
		"with them, not printable either": "VERSIOND_AUTH_CERTIFICATES=hunter\t2hunter2:read",

		"in place of a file": "VERSIOND_CLUSTER_SECRETFILE=hunter2",
	}
	for name, variable := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, nil, variable)
			require.Error(t, err)
			require.NotContains(t, err.Error(), secretText)
		})
	}
}

// A word that is not known must not be taken for leave to ask without a token, nor for none.
func TestPublicIsAWordThatIsKnown(t *testing.T) {
	for public, want := range map[string]string{"": "", "check": "", "true": `auth.public: is "true"; it has to be check, or empty`} {
		c := GetConfig()
		c.Auth.Public = public
		if want == "" {
			require.NoError(t, c.Validate())
			continue
		}
		requireOneProblem(t, c, want)
	}
}
