package certs

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"
)

// authorities are those whose certificates a port takes.
type authorities struct {
	pool *x509.CertPool
	raw  map[string]bool // their certificates in DER: a pool does not say what it holds
}

// parseAuthorities returns nil where a text holds no certificate in PEM.
func parseAuthorities(text []byte) *authorities {
	a := &authorities{pool: x509.NewCertPool(), raw: map[string]bool{}}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil {
			a.pool.AddCert(c)
			a.raw[string(c.Raw)] = true
		}
	}
	if len(a.raw) == 0 {
		return nil
	}
	return a
}

// Vouches reports whether the authorities in the files vouch for a client that showed one of these chains when it connected. Each
// leads from its certificate to an authority of then. A connection may stay open for months: meanwhile the certificate ends,
// or the authority is taken out.
func (k *Keeper) Vouches(chains [][]*x509.Certificate) bool {
	trusted := k.now().authorities
	return trusted != nil && slices.ContainsFunc(chains, trusted.vouch)
}

func (a *authorities) vouch(chain []*x509.Certificate) bool {
	now := time.Now()
	ended := slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return now.After(c.NotAfter) })
	return !ended && a.raw[string(chain[len(chain)-1].Raw)] || a.vouchOtherwise(chain)
}

// vouchOtherwise looks for another way to an authority: one that was given a new certificate may have kept its key.
func (a *authorities) vouchOtherwise(chain []*x509.Certificate) bool {
	return a.verify(chain[0], chain[1:], "", x509.ExtKeyUsageClientAuth) == nil
}

// verify returns why a certificate, with those that lead on from it, is not good for a use, on a host if it is one.
func (a *authorities) verify(leaf *x509.Certificate, rest []*x509.Certificate, host string, use x509.ExtKeyUsage) error {
	between := x509.NewCertPool()
	for _, c := range rest {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: a.pool, Intermediates: between, DNSName: host, KeyUsages: []x509.ExtKeyUsage{use}})
	return err
}
