package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// Failure is the error of two that do not come to speak TLS with each other. It says so from the side that it is on.
type Failure struct{ cause error }

func (f *Failure) Error() string {
	_, all := words(f.cause, time.Now())
	return all
}

// Kind returns what is wrong without what differs each time: names and times.
func (f *Failure) Kind() string {
	kind, _ := words(f.cause, time.Now())
	return kind
}

func (f *Failure) Unwrap() error { return f.cause }

// failureOf leaves the errors of a connection as they are: who goes without a word, as programs do that look whether a
// port is open, or is too slow, may speak TLS.
func failureOf(err error) error {
	var inNetwork *net.OpError
	if errors.As(err, &inNetwork) && inNetwork.Op != alertOp || errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("the handshake came to no end: %w", err)
	}
	return &Failure{cause: err}
}

// Plain returns what the other side sent first when that was no TLS, nil otherwise.
func (f *Failure) Plain() []byte {
	var record tls.RecordHeaderError
	if !errors.As(f.cause, &record) || record.Conn == nil {
		return nil
	}
	return record.RecordHeader[:]
}

// Refused returns the failure in an error of a connection that goes out, nil when it has another reason. By TLS 1.3 the
// refusal of the other side shows only in the first read; what it has not shaken hands for, it has not looked at.
func Refused(err error) *Failure {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure
	}
	if _, refused := refusal(err); refused {
		return &Failure{cause: err}
	}
	return nil
}

// refusal returns the words for what the other side refuses a handshake with.
func refusal(err error) (words string, refused bool) {
	var alert *net.OpError
	if errors.As(err, &alert) && alert.Op == alertOp {
		words, refused = alerts[alert.Err.Error()]
	}
	return words, refused
}

// alertOp is how package tls marks what the other side has said.
const alertOp = "remote error"

// alerts are the words for what the other side says by a number, of which package tls keeps only the text.
var alerts = map[string]string{
	tls.AlertError(42).Error():  "it does not take the certificate of this side (for its name, its time or its authority)",
	tls.AlertError(45).Error():  "the certificate of this side has ended, by its clock",
	tls.AlertError(48).Error():  "it does not know the authority that signed the certificate of this side",
	tls.AlertError(116).Error(): "it wants a certificate, and this side has shown none",
	tls.AlertError(70).Error():  "it speaks no version of TLS that this side does; 1.2 and 1.3 are spoken",
	tls.AlertError(40).Error():  "it finds nothing in common with this side, or wants a certificate",
}

// words returns what is wrong in general, and all that is known of it.
func words(err error, now time.Time) (kind, all string) {
	var plain tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	if said, refused := refusal(err); refused {
		return said, said
	}
	switch {
	case errors.As(err, &plain):
		kind = "the other side does not speak TLS"
	case errors.As(err, &authority):
		kind = "its certificate is signed by no authority that is known here"
		return kind, fmt.Sprintf("%s (it is that of %s, signed by %s)", kind, authority.Cert.Subject, authority.Cert.Issuer)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		kind = "its certificate does not count yet"
		return kind, fmt.Sprintf("%s (that of %s does from %s on, and here it is %s: see the clocks)", kind, invalid.Cert.Subject, stamp(invalid.Cert.NotBefore), stamp(now))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		kind = "its certificate has ended"
		return kind, fmt.Sprintf("%s (that of %s did at %s)", kind, invalid.Cert.Subject, stamp(invalid.Cert.NotAfter))
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		kind = "its certificate is not for this use"
		return kind, fmt.Sprintf("%s (a node's is for serverAuth and clientAuth, that of %s is not)", kind, invalid.Cert.Subject)
	case errors.As(err, &name):
		kind = "its certificate is for another name"
		return kind, fmt.Sprintf("%s (that of %s is for %s, and not for %s)", kind, name.Certificate.Subject, names(name.Certificate), name.Host)
	case errors.Is(err, errNoNode):
		kind = errNoNode.Error()
	default:
		return "the handshake failed", err.Error()
	}
	return kind, kind
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func names(c *x509.Certificate) string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no name"
	}
	return strings.Join(all, ", ")
}
