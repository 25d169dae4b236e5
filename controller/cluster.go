package controller

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/naming"
)

// JoinRaftCluster makes a node a member. It serves POST and GET /join/:id/:addr of the public port
// and GET / of the peer port, where id and addr are query parameters.
func (v *VersionController) JoinRaftCluster(c *gin.Context) {
	in, id, address := readJoin(c)
	id, address = in.member(id), in.address(address)
	voter := in.boolean("voter", true)
	ask(in, func(ctx context.Context) (model.Member, error) {
		member, err := v.service.JoinRaftCluster(ctx, id, address, voter)
		return member, unknownIfExpired(err)
	})
}

// readJoin finds id and address where the port that was asked has them.
func readJoin(c *gin.Context) (in *input, id, address string) {
	if len(c.Params) == 0 {
		in = readInput(c, "id", "addr", "voter", "timeout")
		return in, in.parameter("id"), in.parameter("addr")
	}
	in = readInput(c, "voter", "timeout")
	return in, in.path("id"), in.path("addr")
}

// DeleteFatalPeer removes a member.
func (v *VersionController) DeleteFatalPeer(c *gin.Context) {
	in := readInput(c, "force", "timeout")
	id, force := in.member(in.path("id")), in.boolean("force", false)
	in.do(func(ctx context.Context) {
		if err := v.service.DeleteFatalPeer(ctx, id, force); err != nil {
			fail(c, unknownIfExpired(err))
			return
		}
		c.Status(http.StatusNoContent)
	})
}

// GetPeers answers every member and how it does.
func (v *VersionController) GetPeers(c *gin.Context) {
	ask(readInput(c, "timeout"), v.service.Peers)
}

// GetLeaderPortAddress answers who leads and where it is found.
func (v *VersionController) GetLeaderPortAddress(c *gin.Context) {
	ask(readInput(c, "timeout"), v.service.Leader)
}

// TransferLeadership hands leadership over to a member.
func (v *VersionController) TransferLeadership(c *gin.Context) {
	in := readInput(c, "timeout")
	id := in.member(in.path("id"))
	ask(in, func(ctx context.Context) (model.Leader, error) {
		leader, err := v.service.TransferLeadership(ctx, id)
		return leader, unknownIfExpired(err)
	})
}

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
