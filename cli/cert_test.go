package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/certs"
)

// cert runs versiond cert in a directory.
func cert(dir string, args ...string) (code int, said string) {
	var out bytes.Buffer
	environ := []string{"VERSIOND_RAFT_NODES=node1=n1.example.com:7001/8081,node2=10.0.0.2:7002/8082", "VERSIOND_SERVER_BIND=0.0.0.0", "VERSIOND_AUTH_DISABLED=true"}
	code = Program{Environ: environ, Stdout: &out, Stderr: &out}.Run(append([]string{"cert", "--dir", dir}, args...))
	return code, out.String()
}

func mustCert(t *testing.T, dir string, args ...string) {
	t.Helper()
	code, said := cert(dir, args...)
	require.Zero(t, code, said)
}

func mustParse(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return certificate
}

// What cert makes must be taken by whoever checks it: by the authority, for the node's own names and no others, for a
// year, and by what it may be used for. A key that others can read is none.
func TestCertMakesWhatNodesAndClientsNeed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	mustCert(t, dir, "ca")
	mustCert(t, dir, "node", "--host", "registry.example.com")
	mustCert(t, dir, "client", "ops")
	for _, name := range []string{"ca", "node1", "node2", "ops"} {
		info, err := os.Stat(filepath.Join(dir, name+"-key.pem"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		require.Equal(t, elliptic.P256(), mustParse(t, filepath.Join(dir, name+".pem")).PublicKey.(*ecdsa.PublicKey).Curve)
	}
	authority := x509.NewCertPool()
	authority.AddCert(mustParse(t, filepath.Join(dir, "ca.pem")))
	serving := x509.VerifyOptions{Roots: authority, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	asking := x509.VerifyOptions{Roots: authority, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	verify := func(name, host string, options x509.VerifyOptions) error {
		options.DNSName = host
		_, err := mustParse(t, filepath.Join(dir, name+".pem")).Verify(options)
		return err
	}
	for _, host := range []string{"n1.example.com", "registry.example.com", "localhost", "127.0.0.1", "[::1]"} {
		require.NoError(t, verify("node1", host, serving), host)
	}
	require.NoError(t, verify("node2", "10.0.0.2", serving))
	require.Error(t, verify("node2", "n1.example.com", serving), "one node can pass for another")
	require.Error(t, verify("node1", "0.0.0.0", serving))
	require.NoError(t, verify("node1", "", asking))
	require.NoError(t, verify("ops", "", asking))
	require.Error(t, verify("ops", "", serving), "a client can pass for a node")
	require.Equal(t, "ops", mustParse(t, filepath.Join(dir, "ops.pem")).Subject.CommonName)
	require.WithinDuration(t, time.Now().Add(365*24*time.Hour), mustParse(t, filepath.Join(dir, "node1.pem")).NotAfter, time.Minute)
}

// A key that is replaced is lost, and with that of the authority every certificate: nothing is ever written over.
func TestCertReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	code, said := cert(dir, "node")
	require.Equal(t, 1, code)
	require.Contains(t, said, "versiond cert ca")
	mustCert(t, dir, "ca")
	mustCert(t, dir, "node", "--node", "node2")
	for _, args := range [][]string{{"ca"}, {"node", "--node", "node2"}, {"client", "node2"}, {"client", "ca"}} {
		before, err := os.ReadFile(filepath.Join(dir, "ca-key.pem"))
		require.NoError(t, err)
		code, said := cert(dir, args...)
		require.Equal(t, 1, code, args)
		require.Contains(t, said, "is there already", args)
		after, err := os.ReadFile(filepath.Join(dir, "ca-key.pem"))
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "node2-key.pem")))
	code, _ = cert(dir, "node", "--node", "node2")
	require.Equal(t, 1, code, "its certificate is there still")
	require.NoFileExists(t, filepath.Join(dir, "node2-key.pem"), "a key without its certificate stays")
	mustCert(t, dir, "node", "--node", "node1")
}

// Containers that make what they lack do so at every start, and must have the same authority from the second on. Its key
// must not lie where nodes can read it.
func TestCertMakesWhatIsMissing(t *testing.T) {
	ca, dir := filepath.Join(t.TempDir(), "ca"), filepath.Join(t.TempDir(), "certs")
	for range 2 {
		mustCert(t, ca, "ca", "--keep")
		mustCert(t, dir, "node", "--ca-dir", ca, "--keep")
		mustCert(t, dir, "client", "ops", "--ca-dir", ca, "--keep")
	}
	require.Equal(t, mustParse(t, filepath.Join(ca, "ca.pem")).Raw, mustParse(t, filepath.Join(dir, "ca.pem")).Raw)
	require.NoFileExists(t, filepath.Join(dir, "ca-key.pem"))
	before := mustParse(t, filepath.Join(dir, "node1.pem")).Raw
	require.NoError(t, os.Remove(filepath.Join(dir, "node2.pem")))
	require.NoError(t, os.Remove(filepath.Join(dir, "node2-key.pem")))
	code, said := cert(dir, "node", "--ca-dir", ca, "--keep")
	require.Zero(t, code, said)
	require.Contains(t, said, "the certificate of node2 is for 10.0.0.2, localhost, 127.0.0.1, ::1\n")
	require.NotContains(t, said, "node1", "it says of a certificate that was there that it was made")
	require.FileExists(t, filepath.Join(dir, "node2.pem"))
	require.Equal(t, before, mustParse(t, filepath.Join(dir, "node1.pem")).Raw)

	other := t.TempDir()
	mustCert(t, other, "ca")
	code, said = cert(dir, "client", "more", "--ca-dir", other)
	require.Equal(t, 1, code)
	require.Contains(t, said, "ca.pem is there already")
}

// A stack that makes its certificates at each start would stand still after a year, or for ever after a start that was
// broken off, when what is of no use were kept. What still counts, and the authority, are not to change.
func TestCertRenewsWhatIsOfNoUse(t *testing.T) {
	dir := t.TempDir()
	mustCert(t, dir, "ca")
	pair, err := certs.Read(dir, authority)
	require.NoError(t, err)
	ca, err := certs.ParseAuthority(pair)
	require.NoError(t, err)
	other, err := certs.NewAuthority("another", time.Now())
	require.NoError(t, err)
	stranger, err := certs.ParseAuthority(other)
	require.NoError(t, err)
	left := func(by *certs.Authority, name string, left time.Duration) {
		pair, err := by.Client(name, time.Now().Add(left-certs.Lifetime))
		require.NoError(t, err)
		require.NoError(t, pair.Write(dir, name))
	}
	const day = 24 * time.Hour
	left(ca, "ended", -day)
	left(ca, "soon", 13*day)
	left(ca, "later", 15*day)
	left(stranger, "strangers", -day)
	left(ca, "half", 100*day)
	require.NoError(t, os.Truncate(filepath.Join(dir, "half-key.pem"), 0))
	left(ca, "keyless", 100*day)
	require.NoError(t, os.Remove(filepath.Join(dir, "keyless-key.pem")))
	for name, anew := range map[string]bool{"ended": true, "soon": true, "later": false, "strangers": false, "half": true, "keyless": true} {
		before := mustParse(t, filepath.Join(dir, name+".pem"))
		for range 2 {
			mustCert(t, dir, "client", name, "--keep")
		}
		after, err := tls.LoadX509KeyPair(certs.Paths(dir, name))
		require.NoError(t, err, name)
		require.NotEqual(t, anew, before.Equal(after.Leaf), name)
	}
	left(ca, "lone", 100*day)
	require.NoError(t, os.Remove(filepath.Join(dir, "lone.pem")))
	for name, file := range map[string]string{"lone": "lone-key.pem", "ca": "ca.pem"} {
		code, said := cert(dir, "client", name, "--keep")
		require.Equal(t, 1, code)
		require.Contains(t, said, file+" is there already")
	}
	require.NoFileExists(t, filepath.Join(dir, "lone.pem"))
	mustCert(t, dir, "ca", "--keep")
	after, err := certs.Read(dir, authority)
	require.NoError(t, err)
	require.Equal(t, pair, after)
}

// Whoever names another host wants nodes to be called by it, and goes on calling them by the old ones. A certificate that
// has all of them stays, also where they were named in another order.
func TestCertAddsHosts(t *testing.T) {
	dir := t.TempDir()
	mustCert(t, dir, "ca")
	mustCert(t, dir, "node", "--host", "old.example.com", "--host", "2001:db8::7")
	for _, args := range [][]string{{"--host", "new.example.com"}, {"--host", "new.example.com", "--host", "OLD.example.com"}, nil} {
		before := mustParse(t, filepath.Join(dir, "node2.pem"))
		code, said := cert(dir, append([]string{"node", "--keep"}, args...)...)
		require.Zero(t, code, said)
		after := mustParse(t, filepath.Join(dir, "node2.pem"))
		for _, host := range []string{"10.0.0.2", "old.example.com", "2001:db8::7", "new.example.com", "localhost"} {
			require.NoError(t, after.VerifyHostname(host))
		}
		added := before.VerifyHostname("new.example.com") != nil
		require.Equal(t, added, !before.Equal(after), args)
		require.Equal(t, added, strings.Contains(said, "the certificate of node2 is for 10.0.0.2, new.example.com, localhost, "), said)
	}
	other := t.TempDir()
	mustCert(t, other, "ca")
	require.NoError(t, os.Rename(filepath.Join(other, "ca.pem"), filepath.Join(dir, "ca.pem")))
	require.NoError(t, os.Rename(filepath.Join(other, "ca-key.pem"), filepath.Join(dir, "ca-key.pem")))
	before := mustParse(t, filepath.Join(dir, "node2.pem"))
	mustCert(t, dir, "node", "--keep", "--host", "newer.example.com")
	require.Equal(t, before, mustParse(t, filepath.Join(dir, "node2.pem")), "one of another authority is not this one's to replace")
}

// A name that is a path would write elsewhere.
func TestCertRefusesWhatIsNoName(t *testing.T) {
	dir := t.TempDir()
	mustCert(t, dir, "ca")
	for _, args := range [][]string{{"client", "../ops"}, {"client", ""}, {"node", "--host", "https://x"}, {"node", "--node", "node9"}} {
		code, said := cert(dir, args...)
		require.NotZero(t, code, "%v %s", args, said)
	}
	before, err := certs.Read(dir, authority)
	require.NoError(t, err)
	for _, name := range []string{"ca-key", "ca.new"} {
		code, said := cert(dir, "client", name, "--keep")
		require.Equal(t, exitUsage, code)
		require.Contains(t, said, "choose another name")
	}
	after, err := certs.Read(dir, authority)
	require.NoError(t, err)
	require.Equal(t, before, after, "the key of the authority was taken for a certificate without a key")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
}

// If this fails, config check calls settings right with which a node does not start, as one whose key it may not read.
func TestConfigCheckReadsCertificates(t *testing.T) {
	dir := t.TempDir()
	mustCert(t, dir, "ca")
	mustCert(t, dir, "node")
	check := func(node, public, peer string) (code int, said string) {
		in := func(name string) string { return filepath.Join(dir, name) }
		var out bytes.Buffer
		code = Program{Stdout: &out, Stderr: &out, Environ: []string{
			"VERSIOND_RAFT_NODES=node1=n1.example.com:7001/8081,node2=10.0.0.2:7002/8082", "VERSIOND_AUTH_DISABLED=true", "VERSIOND_NODE=" + node,
			"VERSIOND_TLS_CERTFILE=" + in("node1.pem"), "VERSIOND_TLS_KEYFILE=" + in(public+"-key.pem"), "VERSIOND_CLUSTER_CAFILE=" + in("ca.pem"),
			"VERSIOND_CLUSTER_CERTFILE=" + in(peer+".pem"), "VERSIOND_CLUSTER_KEYFILE=" + in(peer+"-key.pem"),
		}}.Run([]string{"config", "check"})
		return code, out.String()
	}
	code, said := check("node1", "node1", "node1")
	require.Zero(t, code, said)
	for _, wrong := range []struct{ node, public, peer, said string }{
		{"node1", "none", "node1", "tls.keyFile"},
		{"node1", "node2", "node1", "tls.keyFile"},
		{"node1", "node1", "none", "node1: cluster.certFile"},
		{"node2", "node1", "node1", "node2: cluster.certFile"},
	} {
		code, said := check(wrong.node, wrong.public, wrong.peer)
		require.Equal(t, 1, code, said)
		require.Contains(t, said, wrong.said)
	}
}
