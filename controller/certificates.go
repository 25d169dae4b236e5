package controller

import (
	"crypto/x509"
	"net/http"
	"slices"

	"versiond/naming"
)

// Certificate is what a client of the public port may show instead of a token.
type Certificate struct {
	// Name is the common name of the certificate, or one of its alternative names. It stands in the log.
	Name string
	Role naming.Role
}

// certificateOf returns the certificate of a client that has proved that it is its own, and for which an authority vouches; nil
// where there is none.
func (a *access) certificateOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || a.vouches != nil && !a.vouches(r.TLS.VerifiedChains) {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// findCertificate returns whom a certificate stands for. One with several known names may do what one of them may.
func (a *access) findCertificate(shown *x509.Certificate) (h holder, found bool) {
	names := namesOf(shown)
	for _, known := range a.certificates {
		if slices.Contains(names, known.Name) && (!found || !h.role.May(known.Role)) {
			h, found = holder{known.Name, known.Role}, true
		}
	}
	return h, found
}

// namesOf returns the names that an authority has put its name to. Addresses are none: they say where a client is, and
// not who.
func namesOf(c *x509.Certificate) []string {
	names := slices.Concat(c.DNSNames, c.EmailAddresses)
	for _, uri := range c.URIs {
		names = append(names, uri.String())
	}
	if c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	return names
}
