package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
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

// HostNames gives the names by which a node may be called that asks nobody for a token: those of its own
// settings and those that are trusted.
func (c Config) HostNames(n Node) []string {
	names := append([]string{c.BindHost(n)}, c.Server.TrustedHosts...)
	if host, _, err := net.SplitHostPort(n.Address); err == nil {
		names = append(names, host)
	}
	for i, name := range names {
		names[i] = canonicalHost(name)
	}
	return names
}

// badOrigin says why text is not the origin of a page as browsers write it, or "".
func badOrigin(text string) string {
	const form = "it has to be what the address bar shows before the path, such as https://registry.example.com or http://10.0.0.1:8080"
	origin, err := url.Parse(text)
	switch {
	case err != nil, origin.Host == "", origin.Scheme != "http" && origin.Scheme != "https", text != origin.Scheme+"://"+origin.Host:
		return form + ", without a slash at its end"
	case text != strings.ToLower(text):
		return "it has to be in lower case, as browsers send it"
	case origin.Scheme == "http" && origin.Port() == "80", origin.Scheme == "https" && origin.Port() == "443":
		return "it has to be without this port, which browsers leave out"
	}
	return ""
}
