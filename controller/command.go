package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/peer"
	"versiond/wire"
)

// commandsBytesMax takes the largest group there can be: model.CommandsPerEntryMax commands of at most
// 128 + 2 * 64 * 4 bytes of text each.
const commandsBytesMax = 4 << 20

// LeaderHandleCommand proposes a group of commands that a follower passed on. Commands and outcomes
// travel in the form of package wire; errors are problem documents, as everywhere.
//
// @ID           LeaderHandleCommand
// @Summary      Propose a follower's writes (peer port)
// @Description  Lives on the peer port. Followers pass each group of waiting writes to the leader here and get one outcome for each, batches as a whole. Body and answer are binary.
// @Tags         internal
// @Accept       application/vnd.versiond.commands
// @Produce      application/vnd.versiond.outcomes,application/problem+json
// @Param        commands  body   string  true   "a group of at most 4096 commands in the binary form of package wire"  format(binary)
// @Param        timeout   query  string  false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {file}  file  "the applied index and one outcome for each command"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the outcomes reflect"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`: the body cannot be decoded"
// @Failure      401  {object}  Problem  "`unauthorized`: the cluster's secret is missing or wrong"
// @Failure      403  {object}  Problem  "`cross_site`"
// @Failure      413  {object}  Problem  "`body_too_large`: more than 4 MiB"
// @Failure      415  {object}  Problem  "`unsupported_media_type`"
// @Failure      429  {object}  Problem  "`too_many_requests`: nothing was proposed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`not_leader`, `no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`: nothing was proposed; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`"
// @Security     ClusterSecret
// @Router       /command [post]
func (v *VersionController) LeaderHandleCommand(c *gin.Context) {
	in := readInput(c, "timeout")
	units, timeout := in.units(), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	outcomes, index, err := v.service.ApplyCommands(ctx, units)
	setIndex(c, index)
	if err != nil {
		fail(c, unknownIfExpired(err))
		return
	}
	c.Data(http.StatusOK, peer.OutcomesType, wire.AppendOutcomes(nil, index, outcomes))
}

// units decodes the body of /command.
func (in *input) units() []model.Unit {
	data, ok := in.body(peer.CommandsType, commandsBytesMax)
	if !ok {
		return nil
	}
	units, err := wire.DecodeUnits(data)
	switch {
	case err != nil:
		in.wrong("body", "must be a group of commands that this release knows: "+err.Error())
	case len(units) == 0:
		in.wrong("body", "must hold at least one command")
	}
	return units
}
