package server

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"

	"versiond/certs"
)

// clientListener returns the connections of a port as clients know them. net/http alone takes the end of what
// a client sends for the end of the client, and answers in plain text what it cannot read as a request.
type clientListener struct {
	net.Listener
	// tls is how clients are served by TLS, nil where they are not.
	tls *tls.Config
	// tlsSetting is what has it served by TLS.
	tlsSetting string
	// asProblem returns such an answer in the form of all others, and any other as it is; needsTLS returns the
	// answer to plain HTTP on a port for TLS.
	asProblem func([]byte) []byte
	needsTLS  func() []byte
	// stopsSending is told of a connection whose client has ended its sending side while a handler runs.
	stopsSending func(net.Conn)
	log          *slog.Logger // for what may repeat
}

// Accept waits for the next connection.
func (l *clientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	stream, ok := conn.(certs.Stream)
	switch {
	case ok && l.tls != nil:
		return newSecureConn(stream, l), nil
	case ok:
		return newClientConn(stream, l), nil
	case l.tls != nil:
		return tls.Server(conn, l.tls), nil
	}
	return conn, nil
}

type clientConn struct {
	certs.Stream
	port *clientListener
	// self is what net/http knows the connection as.
	self net.Conn
	// begun is set once something was read.
	begun bool
}

func newClientConn(stream certs.Stream, port *clientListener) *clientConn {
	c := &clientConn{Stream: stream, port: port}
	c.self = c
	return c
}

// Read holds back the end of the stream from the read of one byte by which net/http watches a client while
// a handler runs: until the client has reset the connection, or the handler is done and a deadline ends the
// watch. The reads of a header or a body are larger, and see the end at once; but for one of the last byte that
// a buffer or the limit of headers has room for, which ends with the deadline that such reads have.
func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.Stream.Read(p)
	if !c.begun && n > 0 {
		c.begin(p[0])
	}
	if len(p) == 1 && errors.Is(err, io.EOF) {
		c.port.stopsSending(c.self)
		return n, awaitReset(c.Stream)
	}
	return n, err
}

// firstOfTLS is the first byte of everybody who speaks TLS, and of no request.
const firstOfTLS = 0x16

// begin looks at the first byte that a client sends.
func (c *clientConn) begin(first byte) {
	c.begun = true
	if first == firstOfTLS {
		c.port.log.Warn("somebody speaks TLS to a port that does not; use http://, or set "+c.port.tlsSetting, "from", c.RemoteAddr())
	}
}

// Write puts the answers that net/http makes by itself into the form of all others. Net/http writes each of
// them in one call, past its buffer.
func (c *clientConn) Write(p []byte) (int, error) {
	n, err := c.Stream.Write(c.port.asProblem(p))
	if err == nil {
		n = len(p)
	}
	return min(n, len(p)), err
}
