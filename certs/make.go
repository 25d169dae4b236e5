// Package certs has the certificates by which nodes and clients prove who they are: it makes them, reads their files
// again when they change, and says in words what is wrong with those of others.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

const (
	// AuthorityLifetime is long, as every node has to be given another authority when it is over.
	AuthorityLifetime = 10 * 365 * 24 * time.Hour
	// Lifetime is that of all that an authority signs.
	Lifetime = 365 * 24 * time.Hour
	// clockSkew is how far the clocks of machines may be apart: a certificate counts from that long ago.
	clockSkew = time.Hour
)

// Pair is a certificate and its key, both in PEM.
type Pair struct{ Certificate, Key []byte }

// NewAuthority makes an authority that signs nodes and clients.
func NewAuthority(name string, now time.Time) (Pair, error) {
	template := newTemplate(name, now, now.Add(AuthorityLifetime))
	template.IsCA, template.MaxPathLenZero = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	return sign(template, template, key, key)
}

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         any
}

// ParseAuthority reads an authority that NewAuthority has made.
func ParseAuthority(p Pair) (*Authority, error) {
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return nil, err
	}
	if !pair.Leaf.IsCA {
		return nil, errors.New("the certificate is not one of an authority")
	}
	return &Authority{certificate: pair.Leaf, key: pair.PrivateKey}, nil
}

// IsDue reports whether this authority has signed a pair that has ended, ends within the time in which nodes warn of it, or
// is not for one of the hosts.
func (a *Authority) IsDue(p Pair, hosts []string, now time.Time) bool {
	leaf := a.signed(p)
	lacks := func(host string) bool { return leaf.VerifyHostname(host) != nil }
	return leaf != nil && (leaf.NotAfter.Sub(now) < endsSoon || slices.ContainsFunc(hosts, lacks))
}

// Hosts returns the host names and addresses that a pair is for, none when this authority has not signed it.
func (a *Authority) Hosts(p Pair) (hosts []string) {
	leaf := a.signed(p)
	if leaf == nil {
		return nil
	}
	for _, ip := range leaf.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return append(hosts, leaf.DNSNames...)
}

// signed returns the certificate of a pair that this authority has signed, nil for any other.
func (a *Authority) signed(p Pair) *x509.Certificate {
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil || pair.Leaf.CheckSignatureFrom(a.certificate) != nil {
		return nil
	}
	return pair.Leaf
}

// Node makes the certificate of a node that is called by these host names and addresses. It serves on both ports, and
// proves to other nodes that it is one.
func (a *Authority) Node(id string, hosts []string, now time.Time) (Pair, error) {
	template := newTemplate(id, now, now.Add(Lifetime))
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return a.issue(template)
}

// Client makes the certificate of a client, whose common name is what auth.certificates knows it by. It proves nothing
// to the peer port.
func (a *Authority) Client(name string, now time.Time) (Pair, error) {
	template := newTemplate(name, now, now.Add(Lifetime))
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(template)
}

// issue signs a certificate, which does not count longer than the authority does.
func (a *Authority) issue(template *x509.Certificate) (Pair, error) {
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	return sign(template, a.certificate, key, a.key)
}

// newTemplate leaves the serial number to x509, which makes a random one.
func newTemplate(name string, now, end time.Time) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-clockSkew), NotAfter: end, BasicConstraintsValid: true}
}

func sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey, by any) (Pair, error) {
	certificate, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		return Pair{}, fmt.Errorf("sign the certificate of %s: %w", template.Subject.CommonName, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	}, nil
}
