package certs_test

import (
	"bytes"
	"crypto/x509"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/certs"
	"versiond/test/harness/authority"
)

// Every handshake asks a keeper for certificates: what is wrong with the files must not be wrong with theirs, has to be
// told with the setting and what it is, and must be over when the files are right again.
func TestKeeperKeepsWhatItHas(t *testing.T) {
	ca := authority.New(t, "ours")
	for says, change := range map[string]func(authority.Files){
		"cluster.certFile: open": func(f authority.Files) { require.NoError(t, os.Remove(f.Cert)) },
		"private key does not":   func(f authority.Files) { authority.Replace(t, f.Key, ca.Node(t, "node1").Key) },
		"no other node takes":    func(f authority.Files) { f.Change(t, ca.Node(t, "node1", "elsewhere.example.com"), ca.PEM) },
		"holds no certificate":   func(f authority.Files) { f.ChangeCA(t, []byte("nothing")) },
	} {
		t.Run(says, func(t *testing.T) {
			files, log := authority.WriteFiles(t, ca.Node(t, "node1"), ca.PEM), &bytes.Buffer{}
			keeper, err := certs.OpenPeer(certs.PeerFiles(files.Cert, files.Key, files.CA), "localhost:7001", slog.New(slog.NewTextHandler(log, nil)))
			require.NoError(t, err)
			first := shown(t, keeper)
			change(files)
			keeper.Renew()
			require.Equal(t, first, shown(t, keeper))
			require.Contains(t, log.String(), "those from before stay until they can")
			require.Contains(t, log.String(), says)

			files.Change(t, ca.Node(t, "node1"), ca.PEM)
			keeper.Renew()
			require.NotEqual(t, first, shown(t, keeper))
			require.Contains(t, log.String(), "the certificates were read anew")
			require.NotContains(t, log.String(), "ends soon")
		})
	}
}

// A certificate without extended key usages counts for all of them, to crypto/x509; the other nodes do not take it, and so the
// node that has it must not start.
func TestNodeRefusesItsOwnCertificateAsOthersDo(t *testing.T) {
	pair, err := certs.NewAuthority("ours", time.Now())
	require.NoError(t, err)
	signer, err := certs.ParseAuthority(pair)
	require.NoError(t, err)
	node, err := signer.Node("node1", []string{"localhost"}, time.Now())
	require.NoError(t, err)
	node.Certificate = signedAnew(t, node, pair, func(template *x509.Certificate) { template.ExtKeyUsage = nil })
	files := authority.WriteFiles(t, node, pair.Certificate)
	_, err = certs.OpenPeer(certs.PeerFiles(files.Cert, files.Key, files.CA), "localhost:7001", slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "no other node takes")
	require.ErrorContains(t, err, "serverAuth")
}

// shown returns the serial number of the certificate that a keeper has shown in handshakes.
func shown(t *testing.T, keeper *certs.Keeper) string {
	t.Helper()
	cfg, err := keeper.Server().GetConfigForClient(nil)
	require.NoError(t, err)
	return cfg.Certificates[0].Leaf.SerialNumber.String()
}

// A certificate counts for a year, and nobody remembers: the log has to say it before it is over, also on a node that was
// started long before, and not at every handshake.
func TestCertificatesThatEndSoonAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, log := authority.New(t, "ours"), &bytes.Buffer{}
		files := authority.WriteFiles(t, ca.Node(t, "node1"))
		keeper, err := certs.OpenPublic(certs.PublicFiles(files.Cert, files.Key, ""), slog.New(slog.NewTextHandler(log, nil)))
		require.NoError(t, err)
		<-time.After(certs.Lifetime - 20*24*time.Hour)
		shown(t, keeper)
		require.Empty(t, log.String())
		for range 7 * 24 * 60 { // a handshake a minute for a week
			<-time.After(time.Minute)
			shown(t, keeper)
		}
		require.Contains(t, log.String(), "a certificate ends soon")
		require.Contains(t, log.String(), "node1")
		require.InDelta(t, 1, bytes.Count(log.Bytes(), []byte("ends soon")), 1)
	})
}

// A file on a network that is away does not answer, and no deadline ends the reading of it: that may hold up one goroutine,
// and no handshake, or nodes would lose each other and connections pile up.
func TestFileThatDoesNotAnswerHoldsUpNoHandshake(t *testing.T) {
	ca := authority.New(t, "ours")
	files := authority.WriteFiles(t, ca.Node(t, "node1"), ca.PEM)
	keeper, err := certs.OpenPeer(certs.PeerFiles(files.Cert, files.Key, files.CA), "localhost:7001", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	first := shown(t, keeper)
	authority.Hang(t, files.Cert)
	<-time.After(1010 * time.Millisecond) // the files are looked at again
	during := make(chan string)
	go func() {
		for range 10 {
			during <- shown(t, keeper)
		}
		close(during)
	}()
	late := time.After(10 * time.Second)
	for seen := 0; ; seen++ {
		select {
		case serial, more := <-during:
			if !more {
				require.Equal(t, 10, seen)
				return
			}
			require.Equal(t, first, serial)
		case <-late:
			t.Fatal("a handshake waits for the file")
		}
	}
}
