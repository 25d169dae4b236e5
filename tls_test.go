package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/naming"
	"versiond/test/harness/authority"
	"versiond/test/load/crowd"
)

// secured returns the configuration of nodes on free ports whose public ports speak TLS and take certificates of one authority.
func secured(t *testing.T, nodes int) (config.Config, *authority.Authority, authority.Files) {
	t.Helper()
	cfg, ca := configured(t, nodes), authority.New(t, "ours")
	files := authority.WriteFiles(t, ca.Node(t, "node"), ca.PEM)
	cfg.TLS = config.TLS{CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA}
	cfg.Auth.Certificates = []config.Certificate{{Name: "ops", Role: naming.RoleAdmin}, {Name: "viewer", Role: naming.RoleRead}}
	cfg.Auth.Tokens = []config.Token{{Name: "ci", Role: naming.RoleWrite, Secret: "a-secret-of-16-bytes"}}
	return cfg, ca, files
}

// client is one who asks over TLS; each request has a connection of its own.
type client struct {
	tls   tls.Config
	token string
}

func trusting(ca *authority.Authority, shown ...tls.Certificate) *client {
	return &client{tls: tls.Config{RootCAs: ca.Pool(), Certificates: shown}}
}

// ask returns status and body, status 0 and the error when nobody answers.
func (c *client) ask(t *testing.T, method string, port int, path, body string, header ...string) (status int, answer string) {
	t.Helper()
	response, err := c.open(t, method, port, path, body, header...)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(data)
}

// open returns an answer that has begun.
func (c *client) open(t *testing.T, method string, port int, path, body string, header ...string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("https://127.0.0.1:%d%s", port, path), strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	cfg := c.tls.Clone()
	if len(cfg.Certificates) > 0 { // by itself the library shows none of an authority that the node does not name
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cfg.Certificates[0], nil }
	}
	transport := &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}
	return (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
}

func (c *client) mustBeReady(t *testing.T, nodes []config.Node) {
	t.Helper()
	for _, n := range nodes {
		require.Eventually(t, func() bool {
			status, _ := c.ask(t, http.MethodGet, n.Port, "/readyz", "")
			return status == http.StatusOK
		}, 20*time.Second, 20*time.Millisecond, "%s is not ready", n.ID)
	}
}

// Who may do what has to follow from the certificate as it does from a token, and nobody may get in whose certificate is
// not right. What is wrong has to be said in words, on both sides.
func TestPublicPortByTLS(t *testing.T) {
	cfg, ca, _ := secured(t, 1)
	s, port := start(t, cfg), cfg.Raft.Nodes[0].Port
	defer s.mustStop(t)
	anybody, other := trusting(ca), authority.New(t, "another")
	anybody.mustBeReady(t, cfg.Raft.Nodes)
	ops := trusting(ca, authority.Load(t, ca.Client(t, "ops", time.Now())))

	status, body := ops.ask(t, http.MethodPost, port, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, body)
	status, _ = trusting(ca, authority.Load(t, ca.Client(t, "viewer", time.Now()))).ask(t, http.MethodGet, port, "/version", "")
	require.Equal(t, http.StatusOK, status)
	require.Eventually(t, func() bool { return strings.Contains(s.stdout.String(), "https://localhost:"+strconv.Itoa(port)) }, 5*time.Second, 10*time.Millisecond)
	require.Contains(t, s.stdout.String(), "--cacert")

	token := trusting(ca, ops.tls.Certificates...)
	token.token = "a-secret-of-16-bytes"
	for name, each := range map[string]struct {
		*client
		status int
		says   string // in the answer or the client's error
		log    string
	}{
		"a role that may not":            {trusting(ca, authority.Load(t, ca.Client(t, "viewer", time.Now()))), 403, "viewer has the role read", ""},
		"a name that is not listed":      {trusting(ca, authority.Load(t, ca.Client(t, "nobody", time.Now()))), 401, `that of \"nobody\" has none`, ""},
		"no certificate":                 {anybody, 401, "or a certificate with a name in auth.certificates", ""},
		"a token beside a certificate":   {token, 403, "ci has the role write", ""},
		"a wrong token beside one":       {&client{tls: tls.Config{RootCAs: ca.Pool(), Certificates: ops.tls.Certificates}, token: "wrong"}, 401, "unauthorized", ""},
		"a certificate that has ended":   {trusting(ca, authority.Load(t, ca.Client(t, "ops", time.Now().AddDate(-2, 0, 0)))), 0, "certificate", "its certificate has ended"},
		"one of another authority":       {trusting(ca, authority.Load(t, other.Client(t, "ops", time.Now()))), 0, "certificate", "signed by no authority that is known here"},
		"a client of another authority":  {trusting(other), 0, "unknown authority", "it does not take the certificate of this side"},
		"an old version of the protocol": {&client{tls: tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}, 0, "protocol version", "unsupported versions"},
	} {
		t.Run(name, func(t *testing.T) {
			status, said := each.ask(t, http.MethodPost, port, "/leader/node1", "")
			require.Equal(t, each.status, status, said)
			require.Contains(t, said, each.says)
			require.Eventually(t, func() bool { return strings.Contains(s.log.String(), each.log) }, 5*time.Second, 5*time.Millisecond, each.log)
		})
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		by := trusting(ca, ops.tls.Certificates...)
		by.tls.MinVersion, by.tls.MaxVersion = version, version
		status, said := by.ask(t, http.MethodGet, port, "/version/libstdc++6", "")
		require.Equal(t, http.StatusOK, status, said)
	}
}

// Whoever takes one scheme for the other must read so, not garbage: the client in its answer or error, the operator in
// the log.
func TestTheOtherSchemeIsToldSo(t *testing.T) {
	cfg, ca, _ := secured(t, 1)
	s, port := start(t, cfg), cfg.Raft.Nodes[0].Port
	trusting(ca).mustBeReady(t, cfg.Raft.Nodes)
	for _, line := range []string{"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /version HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n{}\n"} {
		requireTold(t, "127.0.0.1:"+strconv.Itoa(port), line, "https://")
	}
	require.Contains(t, s.log.String(), "a client speaks plain HTTP to a port for TLS")
	s.mustStop(t)

	cfg = configured(t, 1)
	s, port = start(t, cfg), cfg.Raft.Nodes[0].Port
	mustBeReady(t, cfg.Raft.Nodes)
	_, said := trusting(ca).ask(t, http.MethodGet, port, "/readyz", "")
	require.Contains(t, said, "server gave HTTP response to HTTPS client")
	require.Contains(t, s.log.String(), "somebody speaks TLS to a port that does not; use http://, or set tls.certFile")
	s.mustStop(t)
}

// requireTold requires that node1, asked without TLS, says so in the form of all its answers.
func requireTold(t *testing.T, address, line, says string) {
	t.Helper()
	header, problem := mustReadProblem(t, bufio.NewReader(crowd.SendAndHalfClose(t, address, line)))
	require.Equal(t, http.StatusBadRequest, problem.Status)
	require.Equal(t, "tls_required", problem.Code)
	require.Contains(t, problem.Detail, says)
	require.Equal(t, "node1", header.Get("X-Versiond-Node"))
	require.NotEmpty(t, problem.RequestID)
}

// servedBy returns the serial number of the certificate that a port shows.
func servedBy(t *testing.T, port int, ca *authority.Authority) string {
	t.Helper()
	conn, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port), &tls.Config{RootCAs: ca.Pool()})
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// Certificates end, tokens leak, and people leave: all of it has to change while nodes run, without a restart and
// without a moment in which nobody is served. What cannot be used must change nothing.
func TestCertificatesAndTokensChangeWhileNodesRun(t *testing.T) {
	cfg, ca, files := secured(t, 1)
	s, port := start(t, cfg), cfg.Raft.Nodes[0].Port
	defer s.mustStop(t)
	ops := trusting(ca, authority.Load(t, ca.Client(t, "ops", time.Now())))
	ops.mustBeReady(t, cfg.Raft.Nodes)
	first, second := servedBy(t, port, ca), ca.Node(t, "node")

	require.NoError(t, os.WriteFile(files.Cert, second.Certificate, 0o600)) // its key is not there yet
	require.Eventually(t, func() bool {
		require.Equal(t, first, servedBy(t, port, ca))
		return strings.Contains(s.log.String(), "cannot be used; those from before stay")
	}, 5*time.Second, 50*time.Millisecond)
	require.Contains(t, s.log.String(), "private key does not match public key")
	require.NoError(t, os.WriteFile(files.Key, second.Key, 0o600))
	var now string
	require.Eventually(t, func() bool { now = servedBy(t, port, ca); return now != first }, 5*time.Second, 50*time.Millisecond)

	renewed := cfg
	renewed.Auth.Tokens = []config.Token{{Name: "new", Role: naming.RoleRead, Secret: "another-secret-of-16"}}
	renewed.Auth.Certificates = []config.Certificate{{Name: "viewer", Role: naming.RoleRead}}
	files.Change(t, ca.Node(t, "node"), ca.PEM)
	stream, err := ops.open(t, http.MethodGet, port, "/version/watch", "")
	require.NoError(t, err)
	defer stream.Body.Close()
	const readAnew = "the certificates were read anew"
	before := strings.Count(s.log.String(), readAnew)
	s.anew <- renewed // as SIGHUP does: the files are read though no handshake looks at them
	require.Eventually(t, func() bool { return strings.Count(s.log.String(), readAnew) > before }, 10*time.Second, 10*time.Millisecond)
	require.NotEqual(t, now, servedBy(t, port, ca))
	rest, err := io.ReadAll(stream.Body)
	require.NoError(t, err, "the stream of somebody who has left goes on")
	require.Contains(t, string(rest), `"code":"unauthorized"`)
	for who, want := range map[*client]int{
		ops: 401,
		trusting(ca, authority.Load(t, ca.Client(t, "viewer", time.Now()))):  200,
		{tls: tls.Config{RootCAs: ca.Pool()}, token: "a-secret-of-16-bytes"}: 401,
		{tls: tls.Config{RootCAs: ca.Pool()}, token: "another-secret-of-16"}: 200,
	} {
		status, said := who.ask(t, http.MethodGet, port, "/peers", "")
		require.Equal(t, want, status, said)
	}

	viewer := trusting(ca, authority.Load(t, ca.Client(t, "viewer", time.Now())))
	watched, err := viewer.open(t, http.MethodGet, port, "/version/watch", "")
	require.NoError(t, err)
	defer watched.Body.Close()
	other := authority.New(t, "another")
	files.ChangeCA(t, other.PEM)
	byOther := trusting(ca, authority.Load(t, other.Client(t, "viewer", time.Now())))
	require.Eventually(t, func() bool {
		status, _ := byOther.ask(t, http.MethodGet, port, "/peers", "")
		return status == http.StatusOK
	}, 5*time.Second, 50*time.Millisecond)
	rest, err = io.ReadAll(watched.Body)
	require.NoError(t, err, "the stream of somebody for whom nobody vouches any more goes on")
	require.Contains(t, string(rest), `"code":"unauthorized"`)
	status, _ := trusting(ca, authority.Load(t, ca.Client(t, "viewer", time.Now()))).ask(t, http.MethodGet, port, "/peers", "")
	require.Zero(t, status, "an authority that was taken away still vouches")
}

// A node that nobody on the way may listen to, or so it seems, has to say what is not so.
func TestOpenPortsAreToldAtTheStart(t *testing.T) {
	cfg := configured(t, 1)
	cfg.Server.Bind, cfg.Cluster.Secret = "0.0.0.0", "a-secret-that-nodes-share"
	s := start(t, cfg)
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "without TLS") }, 5*time.Second, 5*time.Millisecond)
	require.Contains(t, s.log.String(), "tls.certFile")
	s.mustStop(t)
	require.Equal(t, 1, strings.Count(s.log.String(), "without TLS"))

	cfg = configured(t, 1)
	s = start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	s.mustStop(t)
	require.NotContains(t, s.log.String(), "without TLS")
}
