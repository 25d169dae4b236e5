package cli

import (
	"bytes"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// A container engine goes by the exit code, and a person by the line: it has to name what is wrong.
func TestHealth(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		code   int
		says   string
	}{
		{"ready", 200, `{"node":"node1","ready":true,"checks":[{"name":"leader","ok":true}]}`, 0, "node1 is ready\n"},
		{
			"failed checks", 503,
			`{"node":"node1","ready":false,"checks":[{"name":"member","ok":true},{"name":"leader","ok":false,"detail":"nobody leads"},{"name":"store","ok":false}]}`,
			1, "versiond: node1 is not ready: leader: nobody leads; store\n",
		},
		{"not ready without a reason", 503, `{"node":"node1","ready":false}`, 1, "versiond: node1 is not ready\n"},
		{"not ready, whatever the status", 200, `{"node":"node1","ready":false}`, 1, "versiond: node1 is not ready\n"},
		{"an error of the node", 500, `{"title":"Internal Server Error","status":500}`, 1, "answered 500 Internal Server Error, and not as a node does\n"},
		{"another program", 200, "<html>", 1, "answered 200 OK, and not as a node does\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			code, said := health(server.URL)
			require.Equal(t, tt.code, code)
			require.Contains(t, said, tt.says)
		})
	}
}

func TestHealthOfNothing(t *testing.T) {
	code, said := health("http://" + cluster.FreeAddress(t))
	require.Equal(t, 1, code)
	require.Contains(t, said, "refused")
}

// The variables of the node are around when a container is probed, also wrong ones.
func health(url string, more ...string) (code int, said string) {
	var out bytes.Buffer
	code = Program{Environ: []string{"VERSIOND_NODE=node1", "VERSIOND_NONSENSE=1"}, Stdout: &out, Stderr: &out}.Run(append([]string{"health", "--url", url}, more...))
	return code, out.String()
}

// A node that speaks TLS is probed by who trusts the authority of its certificate, and of no other.
func TestHealthByTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"node":"node1","ready":true}`))
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	code, said := health(server.URL, "--ca", ca)
	require.Equal(t, 0, code, said)
	code, said = health(server.URL)
	require.Equal(t, 1, code)
	require.Contains(t, said, "unknown authority")
	code, said = health(server.URL, "--ca", ca+".not")
	require.Equal(t, 1, code)
	require.Contains(t, said, "--ca")
}
