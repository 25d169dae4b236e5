package servers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-redis/redis/v8"
)

// TLSRedis is a Redis that speaks TLS alone, and asks clients for a certificate of its own authority.
type TLSRedis struct {
	Addr string
	// The authority of all certificates, and what a client shows.
	CAFile, CertFile, KeyFile string
}

// RedisTLS runs such a Redis for one test and ends it with the test.
func RedisTLS(t testing.TB) *TLSRedis {
	t.Helper()
	program, err := Find("redis-server", "redis-server")
	must(t, err)
	dir := tempDir(t)
	port, err := FreePort()
	must(t, err)
	number := strconv.Itoa(port)
	s := &TLSRedis{
		Addr:   net.JoinHostPort("127.0.0.1", number),
		CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"),
	}
	must(t, s.writeCertificates())
	p := &process{program: program, dir: dir, ready: s.ping, args: []string{
		"--bind", "127.0.0.1", "--port", "0", "--tls-port", number, "--dir", dir, "--save", "",
		"--tls-ca-cert-file", s.CAFile, "--tls-cert-file", s.CertFile, "--tls-key-file", s.KeyFile, "--tls-auth-clients", "yes",
	}}
	t.Cleanup(func() { _ = p.Kill() })
	must(t, p.Start())
	return s
}

func (s *TLSRedis) ping(ctx context.Context) error {
	certificate, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(s.CAFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{certificate},
	}})
	defer client.Close()
	return client.Ping(ctx).Err()
}

// writeCertificates makes an authority and one certificate, for the server and for clients.
func (s *TLSRedis) writeCertificates() error {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(s.KeyFile, "PRIVATE KEY", keyBytes); err != nil {
		return err
	}
	if err := signTo(s.CAFile, authority, authority, authorityKey, authorityKey); err != nil {
		return err
	}
	return signTo(s.CertFile, leaf, authority, key, authorityKey)
}

func signTo(file string, certificate, by *x509.Certificate, of, with *ecdsa.PrivateKey) error {
	signed, err := x509.CreateCertificate(rand.Reader, certificate, by, of.Public(), with)
	if err != nil {
		return err
	}
	return writePEM(file, "CERTIFICATE", signed)
}

func writePEM(file, kind string, content []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600)
}
