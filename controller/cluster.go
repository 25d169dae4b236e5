package controller

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
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
