package server

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// NotListening returns why a port cannot be listened on, and which setting changes what is in the way.
func NotListening(host, port, what, key string, err error) error {
	return fmt.Errorf("cannot listen on %s port %s: %s: %w", what, port, remedy(host, port, key, err), err)
}

func remedy(host, port, key string, err error) string {
	const bind = "server.bind (--bind)"
	var lookup *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "stop what listens there, or set another one with " + key + " (and " + bind + " for the host)"
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf("this user may not listen on %s, as is usual below 1024; set a higher one with %s, or give the program CAP_NET_BIND_SERVICE", port, key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("no interface of this machine has the address %s; name one that is there, or 0.0.0.0 for all, with %s", host, bind)
	case errors.As(err, &lookup):
		return fmt.Sprintf("the name %s cannot be looked up; mend it in the DNS or in /etc/hosts, or name an address with %s", host, bind)
	}
	return "see " + key + " and " + bind
}
