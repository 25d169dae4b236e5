package certs_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/certs"
	"versiond/test/harness/authority"
)

// A connection stays open for as long as its client likes. Of whom it is has to be asked again: his certificate ends, and an
// authority that leaked is taken out. One that was given a new certificate for its key vouches for the same clients.
func TestAuthoritiesVouchForOpenConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pair, err := certs.NewAuthority("ours", time.Now())
		require.NoError(t, err)
		signer, err := certs.ParseAuthority(pair)
		require.NoError(t, err)
		ours, other := &authority.Authority{PEM: pair.Certificate, Signer: signer}, authority.New(t, "another")
		files := authority.WriteFiles(t, ours.Node(t, "node1"), ours.PEM)
		keeper, err := certs.OpenPublic(certs.PublicFiles(files.Cert, files.Key, files.CA), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		chains, err := authority.Load(t, ours.Client(t, "ci", time.Now())).Leaf.Verify(x509.VerifyOptions{Roots: ours.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		require.NoError(t, err)

		vouches := func(authorities ...[]byte) bool {
			changed := 0
			keeper.WhenChanged(func() { changed++ })
			files.Change(t, ours.Node(t, "node1"), authorities...)
			keeper.Renew()
			require.Equal(t, 1, changed)
			return keeper.Vouches(chains)
		}
		require.True(t, keeper.Vouches(chains))
		require.False(t, vouches(other.PEM), "an authority that was taken out vouches still")
		require.True(t, vouches(other.PEM, ours.PEM))
		require.True(t, vouches(reissued(t, pair)))
		require.False(t, keeper.Vouches(nil))
		<-time.After(certs.Lifetime + time.Minute)
		require.False(t, vouches(ours.PEM), "a certificate that has ended is good still")
	})
}

// reissued returns another certificate of an authority, for the same key.
func reissued(t *testing.T, pair certs.Pair) []byte {
	t.Helper()
	return signedAnew(t, pair, pair, func(template *x509.Certificate) { template.NotAfter = template.NotAfter.AddDate(1, 0, 0) })
}

// signedAnew returns a pair's certificate with a change, as an authority signs it.
func signedAnew(t *testing.T, pair, by certs.Pair, change func(template *x509.Certificate)) []byte {
	t.Helper()
	loaded, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	require.NoError(t, err)
	signer, err := tls.X509KeyPair(by.Certificate, by.Key)
	require.NoError(t, err)
	template := *loaded.Leaf
	template.SerialNumber = nil
	change(&template)
	der, err := x509.CreateCertificate(rand.Reader, &template, signer.Leaf, loaded.Leaf.PublicKey, signer.PrivateKey)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
