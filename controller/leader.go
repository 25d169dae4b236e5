package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// GetLeaderPortAddress answers who leads and where it is found.
//
// @ID           GetLeaderPortAddress
// @Summary      Who leads
// @Description  `curl localhost:8081/leader`
// @Tags         cluster
// @Produce      json,application/problem+json
// @Param        timeout  query  string  false  "how long to wait for the leader to say its port, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {object}  model.Leader  "address is the peer port's, port the public one"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`; see Retry-After"
// @Security     Bearer
// @Router       /leader [get]
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
//
// @ID           TransferLeadership
// @Summary      Hand leadership over
// @Description  `curl -X POST localhost:8081/leader/node2`
// @Tags         cluster
// @Produce      json,application/problem+json
// @Param        id       path   string  true   "id of the voter that is to lead"  example(node2)
// @Param        timeout  query  string  false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {object}  model.Leader  "the member leads"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role admin; `cross_site`"
// @Failure      404  {object}  Problem  "`not_found`: no member has this id"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      502  {object}  Problem  "`node_unreachable`: it does not answer, or is not level in time"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: see GET /leader"
// @Security     Bearer
// @Router       /leader/{id} [post]
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
