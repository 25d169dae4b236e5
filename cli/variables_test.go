package cli

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	certify "versiond/test/harness/authority"
)

// Whoever asks a cluster by TLS says once, in the environment, whom to believe and what to show. A flag goes before it, and
// a mistake is told by the name under which it was made.
func TestVariablesStandForFlags(t *testing.T) {
	ca := certify.New(t, "ours")
	ops := certify.WriteFiles(t, ca.Client(t, "ops", time.Now()), ca.PEM)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{certify.Load(t, ca.Node(t, "node1"))},
		ClientCAs:    ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}
	server.StartTLS()
	defer server.Close()
	const reached, short = "answered 404 Not Found, and not as a node does", "50ms"
	url, believes, shows, key := "VERSIOND_URL="+server.URL, "VERSIOND_CA_FILE="+ops.CA, "VERSIOND_CERT_FILE="+ops.Cert, "VERSIOND_KEY_FILE="+ops.Key

	require.Contains(t, commandIn(t, []string{url, believes, shows, key}, "", "get", "x", "--timeout", short).stderr, reached)
	require.Contains(t, commandIn(t, []string{url, believes, "VERSIOND_CERT_FILE=none", key}, "", "get", "x", "--cert", ops.Cert, "--key", ops.Key, "--timeout", short).stderr, reached)
	require.Contains(t, commandIn(t, []string{url, "VERSIOND_CA_FILE=none", shows, key}, "", "get", "x", "--ca", ops.CA, "--timeout", short).stderr, reached)
	for _, each := range []struct{ wrong, said string }{
		{"VERSIOND_CA_FILE=none", "VERSIOND_CA_FILE: open none: no such file"},
		{"VERSIOND_CERT_FILE=none", "VERSIOND_CERT_FILE and VERSIOND_KEY_FILE: open none: no such file"},
		{"VERSIOND_OUTPUT=xml", "VERSIOND_OUTPUT must be table or json"},
		{`VERSIOND_URL="`, "VERSIOND_URL: "},
	} {
		require.Contains(t, commandIn(t, []string{url, believes, shows, key, each.wrong}, "", "get", "x").stderr, each.said)
	}
	require.Contains(t, commandIn(t, []string{url, shows, key}, "", "get", "x", "--key", ops.Key).stderr, "go together")
}

// Programs want what went wrong in their own form, also when they have called a command wrongly.
func TestFormFromTheEnvironment(t *testing.T) {
	json := []string{"VERSIOND_URL=" + urls[0], "VERSIOND_TOKEN=" + adminSecret, "VERSIOND_OUTPUT=json"}
	require.JSONEq(t, `{"order":-1,"scheme":"natural"}`, commandIn(t, json, "", "compare", "1", "2").stdout)
	require.Contains(t, commandIn(t, json, "", "compare", "1", "2", "-o", "table").stdout, "1 < 2")
	require.Contains(t, commandIn(t, json, "", "get").stderr, `"detail":`)
}
