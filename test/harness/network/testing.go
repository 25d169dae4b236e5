package network

import (
	"testing"

	"versiond/test/harness/servers"
)

// Must makes a network that ends with the test. Where none can be made, servers.Need decides.
func Must(t testing.TB) *Network {
	t.Helper()
	n, err := New()
	if err == nil {
		err = try()
	}
	servers.Need(t, err, ErrImpossible)
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// try makes a host of a network of its own: New alone does not show what is forbidden.
func try() error {
	n, err := New()
	if err != nil {
		return err
	}
	_, err = n.NewHost()
	_ = n.Close()
	return err
}
