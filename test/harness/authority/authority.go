// Package authority makes certificates for tests, good ones and bad ones.
package authority

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/certs"
)

// Authority signs what a test needs.
type Authority struct {
	// PEM is its certificate, and Signer what signs with it.
	PEM    []byte
	Signer *certs.Authority
}

// New makes an authority.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	pair, err := certs.NewAuthority(name, time.Now())
	require.NoError(t, err)
	signer, err := certs.ParseAuthority(pair)
	require.NoError(t, err)
	return &Authority{PEM: pair.Certificate, Signer: signer}
}

// Pool returns the authority as those know it who trust it.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM)
	return pool
}

// Node makes the certificate of a node for these hosts; this machine when there are none.
func (a *Authority) Node(t testing.TB, id string, hosts ...string) certs.Pair {
	t.Helper()
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1", "localhost"}
	}
	pair, err := a.Signer.Node(id, hosts, time.Now())
	require.NoError(t, err)
	return pair
}

// Ended makes the certificate of a node of this machine that counts no more.
func (a *Authority) Ended(t testing.TB, id string) certs.Pair {
	t.Helper()
	pair, err := a.Signer.Node(id, []string{"127.0.0.1", "localhost"}, time.Now().Add(-certs.Lifetime-time.Hour))
	require.NoError(t, err)
	return pair
}

// Client makes the certificate of a client, as of a time.
func (a *Authority) Client(t testing.TB, name string, at time.Time) certs.Pair {
	t.Helper()
	pair, err := a.Signer.Client(name, at)
	require.NoError(t, err)
	return pair
}

// Load returns a pair as package tls takes it.
func Load(t testing.TB, pair certs.Pair) tls.Certificate {
	t.Helper()
	loaded, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	require.NoError(t, err)
	return loaded
}

// Files are those of one node.
type Files struct{ Cert, Key, CA string }

// ReadCertificate returns the certificate that a file of PEM begins with.
func ReadCertificate(t testing.TB, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block, file)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return certificate
}

// WriteFiles puts files into a new directory.
func WriteFiles(t testing.TB, pair certs.Pair, authorities ...[]byte) Files {
	t.Helper()
	dir := t.TempDir()
	f := Files{Cert: filepath.Join(dir, "node.pem"), Key: filepath.Join(dir, "node-key.pem"), CA: filepath.Join(dir, "ca.pem")}
	f.Change(t, pair, authorities...)
	return f
}

// Change puts other contents into the files, each at once.
func (f Files) Change(t testing.TB, pair certs.Pair, authorities ...[]byte) {
	t.Helper()
	var all []byte
	for _, each := range authorities {
		all = append(all, each...)
	}
	f.ChangeCA(t, all)
	Replace(t, f.Key, pair.Key)
	Replace(t, f.Cert, pair.Certificate)
}

// ChangeCA puts other authorities into their file.
func (f Files) ChangeCA(t testing.TB, authorities []byte) { t.Helper(); Replace(t, f.CA, authorities) }

// Replace puts another file in the place of one.
func Replace(t testing.TB, path string, text []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", text, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}
