package cluster

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// Ports are handed out in turn, below the range from which systems pick the local ports of outgoing
// connections and away from those of package servers, so that nobody takes a node's port while it is
// down. Test binaries that run at the same time begin at different places.
const (
	portFirst = 12000
	portLast  = 19999
	// portsPerProcess is more than one test binary is likely to ask for.
	portsPerProcess = 401
)

var portsGiven atomic.Int64

// FreePort returns a port of 127.0.0.1 on which nobody listens and which no other caller was given.
func FreePort(t testing.TB) int {
	t.Helper()
	for range portLast - portFirst {
		number := os.Getpid()*portsPerProcess + int(portsGiven.Add(1))
		port := portFirst + number%(portLast-portFirst+1)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatalf("no free port between %d and %d", portFirst, portLast)
	return 0
}

// FreeAddress returns 127.0.0.1 with a FreePort.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
}
