package controller

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/naming"
)

// refuseOtherHosts refuses a request that calls the node by a name that is not its own. A page of
// evil.example may make its name mean this machine, and would be taken for the node's own page: it could
// do all that a program here can do. It cannot make localhost or an IP address its own.
func refuseOtherHosts(c *gin.Context, hosts []string) {
	name := hostOf(c.Request.Host)
	if name == "" || isLocalName(name) || slices.Contains(hosts, naming.CanonicalHost(name)) {
		return
	}
	fail(c, model.Explain(errUnknownHost, fmt.Sprintf("this node asks nobody for a token or a secret, and so answers only when it is called localhost, "+
		"by an IP address, by its own address or by a name in server.trustedHosts; %q is none of them", name[:min(len(name), fieldNameBytesMax)])))
}

// hostOf returns the name in a Host header without port, brackets and the dot that may end it.
func hostOf(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	return strings.TrimSuffix(host, ".")
}

// isLocalName reports whether no name server decides what a name means: one that is an address, or that
// browsers keep for this machine.
func isLocalName(name string) bool {
	_, err := netip.ParseAddr(name)
	name = strings.ToLower(name)
	return err == nil || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// ownPage reports whether a page, by its address, is one of this node's.
func (g *guard) ownPage(page, host string) bool {
	address, err := url.Parse(page)
	if err != nil {
		return false
	}
	return address.Host == host || slices.Contains(g.origins, address.Scheme+"://"+address.Host)
}
