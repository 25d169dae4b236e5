package crowd

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SendAndHalfClose sends a request to an address, ends the sending side, and returns the connection.
func SendAndHalfClose(t testing.TB, address, request string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	tcp := conn.(*net.TCPConn)
	require.NoError(t, tcp.CloseWrite())
	require.NoError(t, tcp.SetReadDeadline(time.Now().Add(20*time.Second)))
	return tcp
}
