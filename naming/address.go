package naming

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

// Endpoint is a place to listen on, in one spelling: "[0::1]:07001" and "[::1]:7001" are equal.
type Endpoint struct {
	Host string
	Port int
}

// String returns host:port.
func (e Endpoint) String() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// ParseAddress reads host:port. Both have to be there; names are not looked up.
func ParseAddress(text string) (Endpoint, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !IsHost(host) {
		return Endpoint{}, errNotHostPort
	}
	number, err := strconv.Atoi(port)
	if err != nil || !IsPort(number) {
		return Endpoint{}, errPortRange
	}
	return Endpoint{Host: CanonicalHost(host), Port: number}, nil
}

// ParseRoutable reads an address that others are to dial, which no wildcard can be.
func ParseRoutable(text string) (Endpoint, error) {
	if host, _, err := net.SplitHostPort(text); err == nil && isUnspecified(host) {
		return Endpoint{}, errUnroutable
	}
	return ParseAddress(text)
}

// IsPort reports whether n is the number of a port that can be dialed.
func IsPort(n int) bool { return n >= 1 && n <= 65535 }

func isUnspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().IsUnspecified()
}

var (
	hostName   = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$`)
	numberLast = regexp.MustCompile(`(^|\.)[0-9]+\.?$`)
)

// IsHost reports whether text can be a host name or is an IP address. A name that ends in a number,
// such as 10.0.0.300, is an address with a slip in it.
func IsHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return hostName.MatchString(text) && !numberLast.MatchString(text)
}

// CanonicalHost returns the one spelling of a host in which it is compared.
func CanonicalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
