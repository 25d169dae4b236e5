package server

import (
	"crypto/tls"
	"errors"
	"io"
	"time"

	"versiond/certs"
)

// plainLinger is how long an answer to plain HTTP on a port for TLS has to arrive, and plainBytesMax how much is read meanwhile.
const (
	plainLinger   = 500 * time.Millisecond
	plainBytesMax = 64 << 10
)

// secureConn is a connection by TLS. It shakes hands where nobody else waits for that: on the goroutine of the connection.
type secureConn struct {
	clientConn
	secure *certs.Conn
	raw    certs.Stream
	failed bool
}

func newSecureConn(raw certs.Stream, port *clientListener) *secureConn {
	secure := certs.Accept(raw, port.tls)
	c := &secureConn{clientConn: clientConn{Stream: secure, port: port, begun: true}, secure: secure, raw: raw}
	c.self = c
	return c
}

// ConnectionState shakes hands, and tells what came of it. Net/http asks for it once, before it reads, and gives it to
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

// refuse says why no hands were shaken: in the log, and to who speaks plain HTTP.
func (c *secureConn) refuse(err error) {
	var failure *certs.Failure
	switch {
	case !errors.As(err, &failure), failure.Silent():
		c.port.log.Debug("a client went without shaking hands", "from", c.RemoteAddr(), "err", err)
	case failure.Plain() != nil:
		c.port.log.Warn("a client speaks plain HTTP to a port for TLS; it is to use https://", "from", c.RemoteAddr())
		c.answerPlain()
	default:
		c.port.log.Warn("a client and this node do not come to speak TLS: "+failure.Kind(), "from", c.RemoteAddr(), "err", err)
	}
}

// answerPlain answers without TLS, and reads on for a moment: a connection that is closed before takes its answer with it.
func (c *secureConn) answerPlain() {
	if c.raw.SetDeadline(time.Now().Add(plainLinger)) != nil {
		return
	}
	if _, err := c.raw.Write(c.port.needsTLS()); err != nil || c.raw.CloseWrite() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c.raw, plainBytesMax)
}

// abort closes the connection at once. To close it as TLS does may wait for a client that reads nothing.
func (c *secureConn) abort() error { return c.secure.Abort() }
