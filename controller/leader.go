package controller

import (
	"context"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

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
