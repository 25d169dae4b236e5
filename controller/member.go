package controller

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"versiond/model"
)

var hostNamePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)

// member checks that a value can name a member of a cluster.
func (in *input) member(id string) string {
	if !model.ValidNodeID(id) {
		in.wrong("id", "must be a node id: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit")
	}
	return id
}

// address checks that a value can be where other nodes reach a member.
func (in *input) address(address string) string {
	if why := badAddress(address); why != "" {
		in.wrong("addr", why)
	}
	return address
}

func badAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "must be host:port, such as 127.0.0.1:7004"
	}
	if number, err := wholeNumber(port, 1, 65535); err != nil || strconv.FormatUint(number, 10) != port {
		return "must end in a port from 1 to 65535"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil && (strings.Contains(host, ":") || !hostNamePattern.MatchString(host)):
		return "must begin with an IP address or a host name"
	case err == nil && ip.IsUnspecified():
		return "must be an address at which other nodes reach the node; " + host + " means every interface"
	}
	return ""
}
