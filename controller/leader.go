package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// GetLeaderPortAddress answers who leads and where it is found.
func (v *VersionController) GetLeaderPortAddress(c *gin.Context) {
	in := readInput(c, "timeout")
	timeout := in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	leader, err := v.service.Leader(ctx)
	if err != nil {
		fail(c, err)
		return
	}
	answerJSON(c, http.StatusOK, leader)
}

// TransferLeadership hands leadership over to a member.
func (v *VersionController) TransferLeadership(c *gin.Context) {
	in := readInput(c, "timeout")
	id, timeout := in.member(in.path("id")), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	leader, err := v.service.TransferLeadership(ctx, id)
	if err != nil {
		fail(c, unknownIfExpired(err))
		return
	}
	answerJSON(c, http.StatusOK, leader)
}
