package config

import (
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// What can be wrong with an address. The texts go on after the address itself.
var (
	errNotHostPort = errors.New("is not host:port")
	errPortRange   = errors.New("has a port outside 1 to 65535")
	errUnroutable  = errors.New("is no place that other nodes can reach; name the interface they use (server.bind may still be 0.0.0.0)")
)

// endpoint is a place to listen on, in one spelling: "[0::1]:07001" and "[::1]:7001" are equal.
type endpoint struct {
	host string
	port int
}

// String gives host:port.
func (e endpoint) String() string { return net.JoinHostPort(e.host, strconv.Itoa(e.port)) }

// parseAddress reads host:port. Both have to be there; names are not looked up.
func parseAddress(text string) (endpoint, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isHost(host) {
		return endpoint{}, errNotHostPort
	}
	number, err := strconv.Atoi(port)
	if err != nil || !isPort(number) {
		return endpoint{}, errPortRange
	}
	return endpoint{host: canonicalHost(host), port: number}, nil
}

// parseRoutable reads an address that others are to dial, which no wildcard can be.
func parseRoutable(text string) (endpoint, error) {
	if host, _, err := net.SplitHostPort(text); err == nil && isUnspecified(host) {
		return endpoint{}, errUnroutable
	}
	return parseAddress(text)
}

func isPort(n int) bool { return n >= 1 && n <= 65535 }

func isUnspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified()
}

var (
	hostName   = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$`)
	numberLast = regexp.MustCompile(`(^|\.)[0-9]+\.?$`)
)

// isHost tells whether text can be a host name or is an IP address. A name that ends in a number,
// such as 10.0.0.300, is an address with a slip in it.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return hostName.MatchString(text) && !numberLast.MatchString(text)
}

func canonicalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
