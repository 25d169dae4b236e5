package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
)

// http1 keeps clients from HTTP/2, of which one connection is as good as many: what bounds connections would bound nothing.
var http1 = []string{"http/1.1"}

// errNoNode is what the other side of a connection to the peer port is told by its log alone.
var errNoNode = errors.New("its certificate is one of a client, and not of a node (it lacks the extended key usage serverAuth)")

// PublicFiles are the files of a public port.
func PublicFiles(cert, key, clientCA string) Files {
	return Files{Section: "tls", Cert: cert, Key: key, CA: clientCA, CASetting: "tls.clientCAFile"}
}

// OpenPublic reads the certificates of a public port. It asks clients for one when there are authorities to check it
// by, and does without where a client has none. It returns nil, and no error, where no certificate is set.
func OpenPublic(files Files, log *slog.Logger) (*Keeper, error) {
	return open(&Keeper{files: files, log: log, check: func(material) error { return nil }, build: publicConfig})
}

func publicConfig(m material) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: http1, Certificates: []tls.Certificate{m.pair}}
	if m.authorities != nil {
		cfg.ClientAuth, cfg.ClientCAs = tls.VerifyClientCertIfGiven, m.authorities.pool
		cfg.SessionTicketsDisabled = true // a session that goes on would outlive the authority that vouched for it
	}
	return cfg
}

// PeerFiles are the files of a peer port.
func PeerFiles(cert, key, ca string) Files {
	return Files{Section: "cluster", Cert: cert, Key: key, CA: ca, CASetting: "cluster.caFile"}
}

// OpenPeer reads the certificates of the peer port of a node that the others reach at an address. What they would refuse
// is an error. It returns nil, and no error, where no certificate is set.
func OpenPeer(files Files, address string, log *slog.Logger) (*Keeper, error) {
	check := func(m material) error { return files.checkNode(m, hostOf(address)) }
	return open(&Keeper{files: files, log: log, check: check, build: peerConfig})
}

func peerConfig(m material) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{m.pair}, SessionTicketsDisabled: true,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: m.authorities.pool,
		VerifyConnection: func(s tls.ConnectionState) error { return mustBeNode(s.PeerCertificates[0]) },
	}
}

// mustBeNode keeps the clients out that the same authority has signed.
func mustBeNode(leaf *x509.Certificate) error {
	uses := leaf.ExtKeyUsage
	if slices.Contains(uses, x509.ExtKeyUsageServerAuth) || slices.Contains(uses, x509.ExtKeyUsageAny) {
		return nil
	}
	return errNoNode
}

// Client returns how a connection to the node at an address is opened, by the files as they are now. That node has to be
// the one whose certificate is for the host of the address.
func (k *Keeper) Client(address string) *tls.Config {
	m := k.now()
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: hostOf(address), RootCAs: m.authorities.pool,
		// As a function it is shown whatever authorities the other side names, so that it can say what is wrong with it.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &m.pair, nil },
	}
}

// checkNode judges a node's own certificate as the other nodes do.
func (f Files) checkNode(m material, host string) error {
	var rest []*x509.Certificate
	for _, der := range m.pair.Certificate[1:] {
		if between, err := x509.ParseCertificate(der); err == nil {
			rest = append(rest, between)
		}
	}
	for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if err := m.authorities.verify(m.pair.Leaf, rest, host, use); err != nil {
			return f.notTaken(&Failure{cause: err})
		}
	}
	if err := mustBeNode(m.pair.Leaf); err != nil { // without any extended key usage it counts for all, to crypto/x509
		return f.notTaken(err)
	}
	return nil
}

func (f Files) notTaken(why error) error {
	return fmt.Errorf("%s.certFile: no other node takes %s: %w", f.Section, f.Cert, why)
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return strings.TrimSuffix(host, ".")
}
