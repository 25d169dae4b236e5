package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"versiond/naming"
)

const secretText = "hunter2"

// configWithSecrets has the word in every secret, so that one search finds any leak.
func configWithSecrets() Config {
	return withConfig(func(c *Config) {
		c.MySQL.DSN = "root:" + secretText + "@tcp(db:3306)/versions"
		c.Redis.Password = secretText
		c.Auth.Tokens = []Token{{Name: "ops", Role: naming.RoleAdmin, Secret: secretText}}
		c.Cluster.Secret = secretText
	})
}

func TestSecretsNeverPrint(t *testing.T) {
	c := configWithSecrets()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		t.Run(verb, func(t *testing.T) {
			text := fmt.Sprintf(verb, c)
			require.Contains(t, text, redacted)
			require.NotContains(t, text, secretText)
			require.NotContains(t, text, fmt.Sprintf("%x", secretText))
		})
	}
}

func TestSecretsAreNotEncoded(t *testing.T) {
	encoders := map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal}
	for name, encode := range encoders {
		t.Run(name, func(t *testing.T) {
			text, err := encode(configWithSecrets())
			require.NoError(t, err)
			require.Contains(t, string(text), redacted)
			require.NotContains(t, string(text), secretText)
		})
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	var out bytes.Buffer
	c := configWithSecrets()
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		out.Reset()
		slog.New(handler).Info("started", "config", c, "dsn", c.MySQL.DSN, "redis", c.Redis)
		require.Contains(t, out.String(), redacted)
		require.NotContains(t, out.String(), secretText)
	}
}

// Handlers of others may encode the resolved value in ways that know nothing of MarshalText.
func TestSecretResolvesToNothingSecret(t *testing.T) {
	require.Equal(t, slog.StringValue(redacted), slog.AnyValue(Secret(secretText)).Resolve())
}

func TestSecretTellsWhetherItIsSet(t *testing.T) {
	require.Empty(t, Secret("").String())
	require.Equal(t, redacted, Secret(secretText).String())
	require.Equal(t, secretText, Secret(secretText).Reveal())
}
