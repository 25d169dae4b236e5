package server

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// clientListener returns the connections of a port as clients know them. net/http alone takes the end of what
// a client sends for the end of the client, and answers in plain text what it cannot read as a request.
type clientListener struct {
	net.Listener
	// asProblem gives such an answer the form of all others, and leaves others as they are.
	asProblem func([]byte) []byte
	// stopsSending is told of a connection whose client has ended its sending side while a handler runs.
	stopsSending func(net.Conn)
}

// tcpConn is what a connection has to be able to do; net/http asks for CloseWrite.
type tcpConn interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// Accept waits for the next connection.
func (l clientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(tcpConn); ok {
		return &clientConn{tcpConn: tcp, port: l}, err
	}
	return conn, err
}

type clientConn struct {
	tcpConn
	port clientListener
}

// Read holds back the end of the stream from the read of one byte by which net/http watches a client while
// a handler runs: until the client has reset the connection, or the handler is done and a deadline ends the
// watch. The reads of a header or a body are larger, and see the end at once; but for one of the last byte that
// a buffer or the limit of headers has room for, which ends with the deadline that such reads have.
func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.tcpConn.Read(p)
	if len(p) == 1 && errors.Is(err, io.EOF) {
		c.port.stopsSending(c)
		return n, awaitReset(c.tcpConn)
	}
	return n, err
}

// Write gives the answers that net/http makes by itself their form. It writes each of them at once, and to
// no buffer.
func (c *clientConn) Write(p []byte) (int, error) {
	n, err := c.tcpConn.Write(c.port.asProblem(p))
	if err == nil {
		n = len(p)
	}
	return min(n, len(p)), err
}
