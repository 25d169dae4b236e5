package config

import (
	"net"
	"net/url"
	"strings"

	"versiond/naming"
)

// HostNames returns the names by which a node may be called that asks nobody for a token: those of its own
// settings and those that are trusted.
func (c Config) HostNames(n Node) []string {
	names := append([]string{c.BindHost(n)}, c.Server.TrustedHosts...)
	if host, _, err := net.SplitHostPort(n.Address); err == nil {
		names = append(names, host)
	}
	for i, name := range names {
		names[i] = naming.CanonicalHost(name)
	}
	return names
}

// badOrigin returns why text is not the origin of a page as browsers write it, or "".
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
