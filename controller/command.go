package controller

import (
	"context"
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
func (v *VersionController) LeaderHandleCommand(c *gin.Context) {
	in := readInput(c, "timeout")
	units := in.units()
	in.do(func(ctx context.Context) {
		outcomes, index, err := v.service.ApplyCommands(ctx, units)
		setIndex(c, index)
		if err != nil {
			fail(c, unknownIfExpired(err))
			return
		}
		c.Data(http.StatusOK, peer.OutcomesType, wire.AppendOutcomes(nil, index, outcomes))
	})
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
