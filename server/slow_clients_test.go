package server

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pipes is a listener whose connections are pipes: their deadlines go by the test's own clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that sends a byte a second holds a connection, and with a body a handler, for as long as it likes,
// unless it is cut off.
func TestClientsThatSendAByteASecondAreCutOff(t *testing.T) {
	for name, test := range map[string]struct {
		beginning string
		within    time.Duration
	}{
		"a header": {"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", readHeaderTimeout},
		"a body":   {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", readTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := make(pipes)
				reading := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
				server := New(Port{Listener: listener, ConnectionsMax: 1, AsProblem: bytes.Clone}, reading, slog.New(slog.DiscardHandler))
				go func() { _ = server.Serve() }()
				near, far := net.Pipe()
				listener <- far
				go func() { _, _ = io.Copy(io.Discard, near) }()
				began := time.Now()
				_, err := io.WriteString(near, test.beginning)
				for err == nil && time.Since(began) < time.Hour {
					<-time.After(time.Second)
					_, err = near.Write([]byte("x"))
				}
				require.LessOrEqual(t, time.Since(began), test.within+2*time.Second)
				close(listener)
				require.NoError(t, server.http.Close())
			})
		})
	}
}
