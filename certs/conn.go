package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// Stream is what a connection has to be able to do beside carrying bytes: net/http asks for CloseWrite, and whoever
// wants to know whether the other side is gone for the socket.
type Stream interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// Conn is a TLS connection that is still a TCP connection to those who ask it for that.
type Conn struct {
	*tls.Conn
	stream Stream
}

// SyscallConn returns the socket.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.stream.SyscallConn() }

// Abort closes the connection without a farewell, for which a TLS connection may wait for seconds.
func (c *Conn) Abort() error { return c.stream.Close() }

// Accept makes a connection that came in one by TLS, once hands are shaken.
func Accept(stream Stream, cfg *tls.Config) *Conn {
	return &Conn{Conn: tls.Server(stream, cfg), stream: stream}
}

// Connect makes a connection that goes out one by TLS, and shakes hands within the time. It closes one that comes to no end;
// the error is as Shake has it.
func Connect(conn net.Conn, cfg *tls.Config, within time.Duration) (net.Conn, error) {
	stream, ok := conn.(Stream)
	if !ok {
		return nil, errors.Join(errors.New("the connection is not one of TCP"), conn.Close())
	}
	secure := &Conn{Conn: tls.Client(stream, cfg), stream: stream}
	if err := secure.Shake(within); err != nil {
		return nil, errors.Join(err, stream.Close())
	}
	return secure, nil
}

const (
	// plainLinger is how long an answer without TLS has to arrive, and plainBytesMax how much is read meanwhile.
	plainLinger   = 500 * time.Millisecond
	plainBytesMax = 64 << 10
)

// AnswerPlain answers one who does not speak TLS, on the connection beneath. It reads on for a moment: a connection that is
// closed before takes its answer with it.
func (c *Conn) AnswerPlain(answer []byte) {
	if c.stream.SetDeadline(time.Now().Add(plainLinger)) != nil {
		return
	}
	if _, err := c.stream.Write(answer); err != nil || c.stream.CloseWrite() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c.stream, plainBytesMax)
}

// Shake shakes hands within the time. The error is a *Failure where the two do not come to speak TLS, and another where
// one goes or says nothing. The connection stays the caller's to close.
func (c *Conn) Shake(within time.Duration) error {
	if err := c.stream.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if err := c.HandshakeContext(context.Background()); err != nil { // the deadline bounds it
		return failureOf(err)
	}
	return c.stream.SetDeadline(time.Time{})
}
