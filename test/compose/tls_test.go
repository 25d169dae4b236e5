//go:build compose

package compose

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// testTLS starts three nodes that make their certificates themselves, and asks them as the first lines of the file say. The
// second start has to find the certificates of the first.
func testTLS(t *testing.T, image string) {
	s := newStack(t, image, "", "docker-compose.tls.yml")
	for range 2 {
		s.up()
		t.Log("three nodes are healthy, and speak TLS to each other and to the probe")
		ops := s.tlsClient("ops")
		require.Equal(t, http.StatusOK, s.ask(ops, "https://localhost:8081/peers"))
		require.Equal(t, http.StatusUnauthorized, s.ask(s.tlsClient(""), "https://localhost:8082/peers"))
		require.Equal(t, http.StatusBadRequest, s.ask(http.DefaultClient, "http://localhost:8083/peers"))
		s.down()
	}
	t.Log("ops is let in by its certificate, nobody without one, and nobody by plain HTTP")
}

// tlsClient trusts the authority of the containers, and shows a certificate that they made, if it is to.
func (s *stack) tlsClient(name string) *http.Client {
	s.t.Helper()
	dir := s.t.TempDir()
	copied := func(file string) string {
		_, err := docker(s.t.Context(), "cp", s.container(nodes[0])+":/certs/"+file, dir)
		require.NoError(s.t, err)
		return filepath.Join(dir, file)
	}
	authority, err := os.ReadFile(copied("ca.pem"))
	require.NoError(s.t, err)
	cfg := &tls.Config{RootCAs: x509.NewCertPool()}
	require.True(s.t, cfg.RootCAs.AppendCertsFromPEM(authority))
	if name != "" {
		pair, err := tls.LoadX509KeyPair(copied(name+".pem"), copied(name+"-key.pem"))
		require.NoError(s.t, err)
		cfg.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}}
}

func (s *stack) ask(client *http.Client, url string) (status int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	require.NoError(s.t, err)
	answer, err := client.Do(request)
	require.NoError(s.t, err)
	require.NoError(s.t, answer.Body.Close())
	return answer.StatusCode
}
