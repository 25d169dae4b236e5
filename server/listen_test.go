package server

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever may not listen on a port must not be told that somebody else does. A test that runs as root may listen on any
// port, hence the error alone.
func TestForbiddenPortIsNamedAsSuch(t *testing.T) {
	denied := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	err := NotListening("127.0.0.1", "80", "HTTP", "--port", denied)
	require.ErrorContains(t, err, "this user may not listen on 80")
	require.ErrorIs(t, err, syscall.EACCES)
}
