package controller

import (
	"fmt"
	"strconv"
	"strings"

	"versiond/naming"
)

// member checks that a value can name a member of a cluster.
func (f *faults) member(id string) string {
	if !naming.ValidNodeID(id) {
		f.wrong("id", "must be a node id: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit")
	}
	return id
}

// address checks that a value can be where other nodes reach a member. Of a port only one spelling is
// taken, because members are told apart by what is written here.
func (f *faults) address(address string) string {
	endpoint, err := naming.ParseRoutable(address)
	switch {
	case err != nil:
		f.wrong("addr", fmt.Sprintf("%q %v; a right value is 127.0.0.1:7004", address, err))
	case !strings.HasSuffix(address, ":"+strconv.Itoa(endpoint.Port)):
		f.wrong("addr", fmt.Sprintf("must end in %d, as its port is usually written", endpoint.Port))
	}
	return address
}
