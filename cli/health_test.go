package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
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
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	code, said := health(server.URL)
	require.Equal(t, 1, code)
	require.Contains(t, said, "refused")
}

// The variables of the node are around when a container is probed, also wrong ones.
func health(url string) (code int, said string) {
	var out bytes.Buffer
	code = Program{Environ: []string{"VERSIOND_NODE=node1", "VERSIOND_NONSENSE=1"}, Stdout: &out, Stderr: &out}.Run([]string{"health", "--url", url})
	return code, out.String()
}
