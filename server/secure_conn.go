package server

import (
	"crypto/tls"
	"errors"
	"io"

	"versiond/certs"
)

// secureConn is a connection by TLS. It shakes hands where nobody else waits for that: on the goroutine of the connection.
type secureConn struct {
	clientConn
	secure *certs.Conn
	failed bool
}

func newSecureConn(raw certs.Stream, port *clientListener) *secureConn {
	secure := certs.Accept(raw, port.tls)
	c := &secureConn{clientConn: clientConn{Stream: secure, port: port, begun: true}, secure: secure}
	c.self = c
	return c
}

// ConnectionState shakes hands, and returns what came of it. Net/http asks for it once, before it reads, and hands it to
// handlers as the TLS of their request.
func (c *secureConn) ConnectionState() tls.ConnectionState {
	if err := c.secure.Shake(readHeaderTimeout); err != nil {
		c.failed = true
		c.refuse(err)
	}
	return c.secure.ConnectionState()
}

// Read returns the end of a connection by which nothing can be asked.
func (c *secureConn) Read(p []byte) (int, error) {
	if c.failed {
		return 0, io.EOF
	}
	return c.clientConn.Read(p)
}

// refuse logs why no hands were shaken, and answers a client that speaks plain HTTP.
func (c *secureConn) refuse(err error) {
	var failure *certs.Failure
	switch {
	case !errors.As(err, &failure):
		c.port.log.Debug("a client went without shaking hands", "from", c.RemoteAddr(), "err", err)
	case failure.Plain() != nil:
		c.port.log.Warn("a client speaks plain HTTP to a port for TLS; it is to use https://", "from", c.RemoteAddr())
		c.secure.AnswerPlain(c.port.needsTLS())
	default:
		c.port.log.Warn("a client and this node do not come to speak TLS: "+failure.Kind(), "from", c.RemoteAddr(), "err", err)
	}
}

// abort closes the connection at once. To close it as TLS does may wait for a client that reads nothing.
func (c *secureConn) abort() error { return c.secure.Abort() }
