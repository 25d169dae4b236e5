package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
)

// The ports that servers get. They lie below the range from which systems pick the local ports of
// outgoing connections, so that nobody takes a server's port while it is down.
const (
	portFirst    = 20000
	portLast     = 32000
	portAttempts = 100
)

// FreePort returns a port of 127.0.0.1 on which nobody listens.
func FreePort() (int, error) {
	for range portAttempts {
		port := portFirst + rand.IntN(portLast-portFirst)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		return port, listener.Close()
	}
	return 0, fmt.Errorf("no free port between %d and %d", portFirst, portLast)
}

// Find returns the path of a program, looking also where servers live that are not on a user's PATH;
// ErrNotInstalled, with the Debian package that holds it, when it is not there.
func Find(program, debianPackage string) (string, error) {
	for _, name := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s; on Debian: apt-get install %s", ErrNotInstalled, program, debianPackage)
}
