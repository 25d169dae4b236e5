package transport

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/certs"
	"versiond/model"
	"versiond/test/harness/authority"
	"versiond/test/harness/captured"
)

// securedEnd is one end of the peer port: who listens there, who dials from there, and its log.
type securedEnd struct {
	listener *Listener
	layer    *streamLayer
	log      captured.Buffer
}

// newEnd listens with a certificate, or without TLS when security is nil.
func newEnd(t *testing.T, security Security) *securedEnd {
	t.Helper()
	e := &securedEnd{}
	log := slog.New(slog.NewTextHandler(&e.log, nil))
	var err error
	if security == nil {
		e.listener, err = Listen("127.0.0.1:0")
	} else {
		e.listener, err = ListenTLS("127.0.0.1:0", security, log)
	}
	require.NoError(t, err)
	identity := func() model.Identity { return model.Identity{Cluster: "c", Node: "node1"} }
	e.layer = newStreamLayer(Config{Listener: e.listener, Identity: identity, IDAt: func(string) string { return "" }, Distrust: NewDistrust(log)})
	t.Cleanup(func() { require.NoError(t, e.layer.Close()); require.NoError(t, e.listener.Close()) })
	return e
}

// keeping is the security of a node as it is.
func keeping(t *testing.T, pair certs.Pair, authorities ...[]byte) Security {
	t.Helper()
	files := authority.WriteFiles(t, pair, authorities...)
	keeper, err := certs.OpenPeer(certs.PeerFiles(files.Cert, files.Key, files.CA), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return keeper
}

// showing is the security of one who shows a certificate that no node would take for its own.
type showing struct {
	shown tls.Certificate
	trust *x509.CertPool
}

func (s showing) Server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{s.shown}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: s.trust}
}

func (s showing) Client(string) *tls.Config {
	return &tls.Config{RootCAs: s.trust, ServerName: "127.0.0.1", GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &s.shown, nil }}
}

func dialTo(e, to *securedEnd, host string) error {
	conn, err := e.layer.Dial(raft.ServerAddress(net.JoinHostPort(host, port(to.listener))), 2*time.Second)
	if err == nil {
		err = conn.Close()
	}
	return err
}

// Whoever is no node must not get in, a node must not talk to one that only passes for another, and both sides must
// say in words which of the many things about certificates is not right.
func TestNodesProveThatTheyAreNodes(t *testing.T) {
	ours, others := authority.New(t, "ours"), authority.New(t, "others")
	good := keeping(t, ours.Node(t, "node1"), ours.PEM)
	bad := func(pair certs.Pair) Security { return showing{authority.Load(t, pair), ours.Pool()} }
	for name, each := range map[string]struct {
		dials, listens Security
		host           string // 127.0.0.1 when not set
		dialer, log    string // what is said on each side; "" when it is all right
	}{
		"two of ours":                    {dials: good, listens: good},
		"a certificate of another CA":    {dials: bad(others.Node(t, "node2")), listens: good, dialer: "it does not know the authority that signed the certificate of this side", log: "signed by no authority that is known here"},
		"a node of another CA":           {dials: good, listens: bad(others.Node(t, "node2")), dialer: "its certificate is signed by no authority that is known here (it is that of CN=node2", log: "it does not take the certificate of this side"},
		"a certificate that has ended":   {dials: bad(ours.Ended(t, "node2")), listens: good, dialer: "the certificate of this side has ended", log: "its certificate has ended (that of CN=node2 did at 2"},
		"a node whose has ended":         {dials: good, listens: bad(ours.Ended(t, "node2")), dialer: "its certificate has ended (that of CN=node2", log: "it does not take the certificate of this side"},
		"a node of another name":         {dials: good, listens: bad(ours.Node(t, "node2", "node2.example.com")), dialer: "is for node2.example.com, and not for 127.0.0.1", log: "it does not take the certificate of this side"},
		"a node of a name":               {dials: good, listens: good, host: "localhost"},
		"a client's certificate":         {dials: bad(ours.Client(t, "ops", time.Now())), listens: good, dialer: "it does not take the certificate of this side", log: "one of a client, and not of a node"},
		"a node without TLS":             {dials: nil, listens: good, dialer: "it speaks TLS, and this node has no cluster.certFile", log: "somebody speaks no TLS to the peer port"},
		"a node with TLS to one without": {dials: good, listens: nil, dialer: "the other side does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := newEnd(t, each.dials), newEnd(t, each.listens)
			go func() { // net/http answers what is not for Raft
				_ = (&http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}).Serve(to.listener.HTTP()) //nolint:gosec // it ends with the listener
			}()
			host := each.host
			if host == "" {
				host = "127.0.0.1"
			}
			err := dialTo(from, to, host)
			if each.dialer == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, model.ErrTLSFailed)
			require.ErrorContains(t, err, each.dialer)
			require.Contains(t, from.log.String(), "do not come to speak TLS; see cluster.certFile", "the node that dials says nothing")
			require.ErrorIs(t, from.layer.distrust.Recent(), model.ErrTLSFailed)
			require.Eventually(t, func() bool { return bytes.Contains([]byte(to.log.String()), []byte(each.log)) }, 5*time.Second, 5*time.Millisecond, to.log.String())
		})
	}
}

// Whoever begins handshakes and never ends them must not keep nodes out.
func TestHandshakesThatNeverEndMakeRoomForPeers(t *testing.T) {
	ours := authority.New(t, "ours")
	end := newEnd(t, keeping(t, ours.Node(t, "node1"), ours.PEM))
	greet := func() {
		t.Helper()
		began := time.Now()
		require.NoError(t, dialTo(end, end, "127.0.0.1"))
		require.Less(t, time.Since(began), greetingTimeout/2, "they were waited for until they were cut off")
	}
	for i := range 2 * strangersMax {
		conn := mustDial(t, end.listener.Addr().String())
		if i%2 == 0 {
			_, err := conn.Write([]byte("\x16\x03\x01\x02\x00\x01"))
			require.NoError(t, err)
		}
		if i%500 == 0 {
			greet()
		}
	}
	greet()
	require.LessOrEqual(t, end.listener.strangers.Len(), strangersMax)
}

// A node takes no version of the protocol that is broken.
func TestPeerPortTakesNoOldProtocol(t *testing.T) {
	ours := authority.New(t, "ours")
	end := newEnd(t, keeping(t, ours.Node(t, "node1"), ours.PEM))
	shown := []tls.Certificate{authority.Load(t, ours.Node(t, "node2"))}
	for version, taken := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", end.listener.Addr().String(), &tls.Config{RootCAs: ours.Pool(), Certificates: shown, MinVersion: tls.VersionTLS10, MaxVersion: version})
		if require.Equal(t, taken, err == nil, "%x: %v", version, err); taken {
			require.NoError(t, conn.Close())
		}
	}
}
