package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/naming"
)

// What goes together has to be given together: a node that starts without what somebody has set is not protected, and
// nobody notices.
func TestTLSSettingsGoTogether(t *testing.T) {
	whole := TLS{CertFile: "cert", KeyFile: "key", ClientCAFile: "ca"}
	ops := []Certificate{{Name: "ops", Role: naming.RoleAdmin}}
	for name, each := range map[string]struct {
		tls          TLS
		certificates []Certificate
		wrong        string
	}{
		"nothing":                     {},
		"without clients'":            {tls: TLS{CertFile: "cert", KeyFile: "key"}},
		"all":                         {whole, ops, ""},
		"a certificate without key":   {TLS{CertFile: "cert"}, nil, "tls.keyFile: is empty"},
		"a key without certificate":   {TLS{KeyFile: "key"}, nil, "tls.certFile: is empty"},
		"an authority without TLS":    {TLS{ClientCAFile: "ca"}, ops, "tls.certFile: is empty"},
		"an authority for nobody":     {whole, nil, "auth.certificates: is empty"},
		"names that nobody can prove": {TLS{CertFile: "cert", KeyFile: "key"}, ops, "tls.clientCAFile: is empty"},
		"no role":                     {whole, []Certificate{{Name: "ops"}}, "auth.certificates[0].role"},
		"no name":                     {whole, []Certificate{{Role: naming.RoleRead}}, "auth.certificates[0].name"},
		"the same name twice":         {whole, append(ops, ops...), "auth.certificates[1].name"},
	} {
		t.Run(name, func(t *testing.T) {
			c := GetConfig()
			c.TLS, c.Auth.Certificates = each.tls, each.certificates
			if err := c.Validate(); each.wrong == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, each.wrong)
			}
		})
	}
}

// Names of certificates are URIs too, which have colons.
func TestCertificatesFromTheEnvironment(t *testing.T) {
	got, err := parseCertificates("ops:admin, spiffe://example.com/ci:write")
	require.NoError(t, err)
	require.Equal(t, []Certificate{{"ops", naming.RoleAdmin}, {"spiffe://example.com/ci", naming.RoleWrite}}, got)
	_, err = parseCertificates("ops")
	require.ErrorContains(t, err, "name:role")
}

// Certificates do what tokens do: a node that asks for them may be reached from outside.
func TestCertificatesLetANodeListenOutside(t *testing.T) {
	c := GetConfig()
	c.Server.Bind, c.Cluster.Secret = "0.0.0.0", "a-secret-that-nodes-share"
	require.ErrorContains(t, c.Validate(), "auth.tokens")
	host, missing := c.Unprotected()
	require.Equal(t, []string{"tls.certFile", "cluster.certFile"}, missing)
	require.Equal(t, "0.0.0.0", host)
	c.TLS = TLS{CertFile: "cert", KeyFile: "key", ClientCAFile: "ca"}
	c.Auth.Certificates = []Certificate{{Name: "ops", Role: naming.RoleAdmin}}
	require.NoError(t, c.Validate())
	c.Cluster = Cluster{CertFile: "cert", KeyFile: "key"}
	require.ErrorContains(t, c.Validate(), "cluster.caFile: is empty")
	c.Cluster.CAFile = "ca"
	require.NoError(t, c.Validate(), "no secret is needed between nodes that show certificates")
	_, missing = c.Unprotected()
	require.Empty(t, missing)
}
